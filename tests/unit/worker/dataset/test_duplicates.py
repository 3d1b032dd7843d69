"""Which samples are duplicates: by the same bytes, or by fingerprints that are alike."""

from __future__ import annotations

import io
import itertools
import json
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from imagemill_contract.recipe import Output
from imagemill_worker.dataset.duplicates import alike_groups, duplicates, same_groups
from imagemill_worker.errors import ArgumentsError
from imagemill_worker.picture.fingerprint import difference_hash
from tests.helpers.datasets import Dataset
from tests.helpers.photographs import photograph

RUNNING = threading.Event()
NAMES = (
    "rocket.jpg",
    "astronaut.png",
    "coffee.png",
    "chelsea.png",
    "camera.png",
    "motorcycle_left.png",
)
FINGERPRINTS = st.dictionaries(
    st.text("abc", min_size=1, max_size=4),
    # few bits, so that some are near each other
    st.lists(st.sampled_from([0, 1, 7, 8, 31, 32, 62, 63]), max_size=5).map(
        lambda places: sum(1 << place for place in {*places})
    ),
    max_size=12,
)


@pytest.fixture(autouse=True)
def allow_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")


def linked(fingerprints: dict[str, int], distance: int) -> list[list[str]]:
    """The groups by the definition: all that can be reached by steps of at most `distance`."""
    left, groups = sorted(fingerprints), []
    while left:
        group, rest = [left[0]], left[1:]
        for name in group:
            near = [
                other
                for other in rest
                if (fingerprints[name] ^ fingerprints[other]).bit_count() <= distance
            ]
            group += near
            rest = [other for other in rest if other not in near]
        groups.append(sorted(group))
        left = rest
    return sorted(group for group in groups if len(group) > 1)


@given(FINGERPRINTS, st.integers(0, 16))
def test_groups_are_those_that_small_steps_link(
    fingerprints: dict[str, int], distance: int
) -> None:
    assert alike_groups(fingerprints, distance) == linked(fingerprints, distance)


@given(FINGERPRINTS, st.randoms())
def test_groups_do_not_depend_on_the_order(fingerprints: dict[str, int], random: object) -> None:
    items = list(fingerprints.items())
    random.shuffle(items)  # type: ignore[attr-defined] # hypothesis types it as Random
    assert alike_groups(dict(items), 3) == alike_groups(fingerprints, 3)
    assert same_groups(dict(items)) == same_groups(fingerprints)
    assert same_groups(fingerprints) == alike_groups(fingerprints, 0)


def encoded(image: Image.Image, kind: str = "JPEG", **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def variants(image: Image.Image) -> list[bytes]:
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    brighter = ImageEnhance.Brightness(image).enhance(1.1)
    return [encoded(image, quality=60), encoded(half, quality=85), encoded(brighter, "PNG")]


def test_copies_of_a_photograph_are_near_it_and_other_photographs_are_not() -> None:
    squares = [photograph(name).resize((128, 128)) for name in NAMES]
    originals = [difference_hash(encoded(image, quality=95)) for image in squares]
    far = [
        (one ^ other).bit_count()
        for one, other in itertools.combinations(originals, 2)
        if one is not None and other is not None
    ]
    assert min(far) > 8
    for image, original in zip(squares, originals, strict=True):
        assert original is not None
        for copy in variants(image):
            found = difference_hash(copy)
            assert found is not None
            assert (found ^ original).bit_count() <= 4


def test_plain_picture_has_no_fingerprint_for_it_would_be_that_of_all_others() -> None:
    assert difference_hash(encoded(Image.new("RGB", (64, 64), "#888888"), "PNG")) is None
    assert difference_hash(b"no picture") is None


@pytest.mark.parametrize("output", [Output.WEBDATASET, Output.TFRECORD, Output.PARQUET])
def test_duplicates_of_two_runs_are_found(
    output: Output, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dataset = Dataset(tmp_path)
    dataset.recipe |= {"output": output, "size": 64}
    one, other = (encoded(photograph(name), quality=90) for name in NAMES[:2])
    again = encoded(photograph(NAMES[0]), quality=70)
    dataset.run({"a.jpg": one, "b.jpg": other, "c.jpg": one})
    dataset.run({"d.jpg": again})
    capfd.readouterr()

    def found(distance: int | None) -> list[dict[str, object]]:
        duplicates(f"file://{dataset.output}/", RUNNING, distance=distance)
        return [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    same, summary = found(None)
    assert same == {"event": "duplicates", "names": ["a.jpg", "c.jpg"]}
    assert summary == {"event": "compared", "samples": 4, "groups": 1, "extra": 1}
    alike, summary = found(4)
    assert alike == {"event": "duplicates", "names": ["a.jpg", "c.jpg", "d.jpg"]}
    assert summary == {"event": "compared", "samples": 4, "groups": 1, "extra": 2}


def test_no_dataset_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArgumentsError, match="There are no dataset shards at"):
        duplicates(f"file://{tmp_path}/", RUNNING, distance=None)
