"""The pictures of a round: few bodies, each good or bad in a known way, under many names."""

from __future__ import annotations

from functools import cache
from random import Random

from tests.helpers.photographs import png_that_declares
from tests.helpers.pictures import file_of, jpeg, photograph, with_alpha

_ODD_NAMES = (
    "a b+ü&c.jpg",
    "100%.jpg",
    'it\'s "here".jpg',
    "%41.jpg",
    "no extension",
    "x.tar.jpg",
    "__x.jpg",
    "wide/深い/🐈.png",
    "dots...jpg",
    "UPPER.JPG",
)
# Only a bucket has these, and only boto3 reads them.
_ODD_KEYS = ("a//b.jpg", "/lead.jpg", "a/./b.jpg", "a/../c.jpg")


@cache
def good() -> tuple[bytes, ...]:
    """Small pictures of several kinds, no two alike."""
    jpegs = [jpeg(90 + 3 * number, 64 + number) for number in range(20)]
    small = photograph().resize((120, 100))
    others = [file_of(small, "PNG"), file_of(small, "WEBP"), file_of(small.convert("L"), "TIFF")]
    return (*jpegs, *others, file_of(with_alpha(small), "PNG"))


@cache
def bad() -> tuple[bytes, ...]:
    """Files that every attempt rejects."""
    whole = jpeg()
    text = b"This is no picture at all.\n" * 20
    return (whole[: len(whole) // 2], b"", text, png_that_declares(30_000, 30_000))


def drawn(random: Random, most: int, *, in_bucket: bool) -> dict[str, bytes]:
    """Bodies by name, sorted; some are bad, some names odd."""
    count = random.randint(min(8, most), most)
    names = [f"{random.choice('abc')}/{number:03}.jpg" for number in range(count)]
    names += random.sample(_ODD_NAMES, random.randint(0, 4))
    if in_bucket and random.random() < 0.2:
        names += random.sample(_ODD_KEYS, 2)
    pictures = {name: random.choice(good()) for name in names}
    for name in random.sample(names, random.randint(0, 3)):
        pictures[name] = random.choice(bad())
    return dict(sorted(pictures.items()))
