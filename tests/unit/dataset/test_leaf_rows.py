"""A leaf says what the lines of a document say, whatever its rows are."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path

import pytest
from arro3.io import read_parquet
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.document_parts.pictures import Original
from imagemill_contract.errors import DocumentError
from imagemill_contract.index_keys import leaf_key
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Entry, IndexedRun, Place, encode_rows, rows_in
from imagemill_dataset.parts import leaf_rows
from imagemill_dataset.parts.leaf_rows import encode_leaf, rows_in_leaf
from imagemill_dataset.shards import DatasetShard, PixelSums

RECIPES: list[dict[str, object]] = [Recipe().to_document(), {"of": "another release"}]
RUNS = [
    IndexedRun(f"run-{minute}", f"2026-11-23T10:{minute:02}:00.000Z", "s3://in/", recipe, "v1")
    for minute, recipe in enumerate(RECIPES)
]
SHARDS = [
    DatasetShard(f"dataset/{name}.tar", "train", 9, 10, "c" * 64, PixelSums()) for name in "ab"
]
NUMBERS, PIXELS = st.integers(0, 2**40), st.integers(1, 2**31 - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
DIGESTS = st.sampled_from(["ab" * 32, "cd" * 32])
VALUES = st.none() | st.booleans() | TEXT | st.integers(-(2**70), 2**70) | st.floats(-1e9, 1e9)
PLACES = st.builds(
    Place,
    st.sampled_from([shard.key for shard in SHARDS]),
    NUMBERS,
    PIXELS,
    PIXELS,
    NUMBERS,
    NUMBERS,
    DIGESTS,
    st.none() | st.integers(0, 9),
    st.sampled_from([0, 0, 17]),
)
SCORES = st.dictionaries(TEXT, st.floats(0, 1), min_size=1, max_size=2) | st.lists(
    st.floats(0, 1), min_size=1, max_size=2
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    original = draw(st.none() | st.builds(Original, PIXELS, PIXELS, TEXT))
    return Entry(
        draw(TEXT),
        draw(st.none() | st.sampled_from(Reason)),
        draw(st.sampled_from(RUNS)),
        draw(st.booleans()),
        draw(st.none() | PLACES),
        tuple(draw(st.lists(VALUES, max_size=2))),
        draw(st.sampled_from(["", "plain", "0123456789abcdef"])),
        original,
        draw(NUMBERS) if original else 0,
        draw(st.none() | SCORES),
    )


@given(st.dictionaries(TEXT, entries(), min_size=1, max_size=8))
def test_leaf_and_lines_give_back_the_same_rows(found: dict[str, Entry]) -> None:
    rows = sorted(found.items())
    body = encode_leaf(rows, SHARDS)
    assert list(rows_in_leaf(key_of(body), body)) == rows
    assert list(rows_in(encode_rows(rows, SHARDS))) == rows
    assert encode_leaf(rows, SHARDS) == body


def key_of(body: bytes) -> str:
    return leaf_key("stem", sha256(body).hexdigest())


def rows_of(count: int) -> list[tuple[str, Entry]]:
    original = Original(400, 300)
    return [
        (f"{n:09}", Entry(f"e{n}", None, RUNS[0], original=original, bytes=n))
        for n in range(1, count)
    ]


def test_rows_of_many_chunks_keep_their_order() -> None:
    rows = rows_of(3 * leaf_rows._ROWS_AT_ONCE)
    late = "reason", Entry("e", Reason.CORRUPT, RUNS[1], columns=("late",))
    body = encode_leaf([*rows, late], ())
    assert list(rows_in_leaf(key_of(body), body)) == [*rows, late]


def test_leaf_of_earlier_versions_is_read() -> None:
    rows = rows_of(5)
    body = encode_rows(rows)
    key = leaf_key("stem", sha256(body).hexdigest()).replace(".parquet", ".jsonl.gz")
    assert list(rows_in_leaf(key, body)) == rows


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "lines"])
def test_damaged_leaf_is_refused_before_any_row(damage: str) -> None:
    whole = encode_leaf(rows_of(50), ())
    middle = len(whole) // 2
    bodies = {
        "cut": whole[:middle],
        "changed": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "empty": b"",
        "lines": encode_rows(rows_of(50)),
    }
    with pytest.raises(DocumentError, match=r"^The leaf leaves/stem/\w+\.parquet cannot be read"):
        next(rows_in_leaf(key_of(whole), bodies[damage]))


def test_leaf_of_a_later_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaf_rows, "VERSION", 2)
    body = encode_leaf(rows_of(5), ())
    monkeypatch.undo()
    with pytest.raises(DocumentError, match="is not of version 1"):
        next(rows_in_leaf(key_of(body), body))


def test_leaf_has_no_columns_that_say_nothing() -> None:
    file = io.BytesIO(encode_leaf(rows_of(100), ()))
    names = ["key", "etag", "source_bytes", "source_width", "source_height"]
    assert read_parquet(file).schema.names == names


def test_few_of_an_open_leaf_are_in_memory() -> None:
    """A plan has a leaf of every part open at once."""
    digests = [sha256(str(n).encode()).hexdigest() for n in range(20_000)]
    rows = [
        (
            digest,
            Entry(digest[:32], None, RUNS[0], False, Place(SHARDS[0].key, n, 9, 9, n, n, digest)),
        )
        for n, digest in enumerate(digests)
    ]
    body = encode_leaf(rows, SHARDS[:1])
    before, leaves = memory_bytes(), [rows_in_leaf(key_of(body), body) for _ in range(16)]
    assert [next(leaf) for leaf in leaves] == 16 * rows[:1]
    assert memory_bytes() - before < 16 * 2_500_000  # the rows of one take 4 MB


def memory_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024
