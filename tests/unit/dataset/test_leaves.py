"""Parts of the index with leaves say the same as parts without, and are read by ranges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.index_keys import index_key
from imagemill_contract.keys import INDEX, LEAVES
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Entry, Index, IndexedRun, Place, encode_part
from imagemill_dataset.parts import merging, written_part
from imagemill_dataset.parts.merging import merge_parts
from imagemill_dataset.parts.written_part import written_leaves
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_dataset.stored_index import StoredIndex, write_index_part
from tests.helpers.memory_store import MemoryStore

RECIPE = Recipe().to_document()
KEYS = [f"{number:02}" for number in range(40)]
REASONS = st.sampled_from(
    [None, Reason.CORRUPT, Reason.JOB_FAILED, Reason.CHANGED, Reason.OVERWRITTEN]
)


@pytest.fixture(autouse=True)
def small_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written_part, "INLINE_ROWS", 3)
    monkeypatch.setattr(written_part, "LEAF_ROWS", 4)


class CountingStore(MemoryStore):
    """Notes which objects are read."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def read(self, key: str) -> bytes:
        self.seen.append(key)
        return super().read(key)


def run_at(minute: int) -> IndexedRun:
    return IndexedRun(f"run-{minute}", f"2026-11-23T10:{minute:02}:00.000Z", "s3://in/", RECIPE)


def add_run(store: MemoryStore, minute: int, reasons: dict[str, Reason | None]) -> None:
    run, shard = run_at(minute), f"dataset/{minute:02}.tar"
    entries = {
        key: Entry(f"e{minute}", reason, run, place=None if reason else place_in(shard, at))
        for at, (key, reason) in enumerate(reasons.items())
    }
    shards = [DatasetShard(shard, "train", len(reasons), 10, "c" * 64, PixelSums())]
    write_index_part(store, run, entries, shards)


def place_in(shard: str, position: int) -> Place:
    return Place(shard, position, 8, 8, 9, 3, "ab" * 32)


def held_at_once(store: MemoryStore, parts: list[str]) -> dict[str, Entry]:
    """What the rows of all parts say if they are in one document each, as of old."""
    documents = []
    for key in parts:
        (part,) = [it for it in StoredIndex.opened(store).parts if it.key == key]
        rows = dict(part.rows(store.read, "", None))
        documents.append((key, encode_part(rows, part.shards)))
    return Index.of_parts(documents).entries


def test_large_part_has_leaves_and_a_small_one_has_none() -> None:
    store = MemoryStore()
    add_run(store, 1, dict.fromkeys(KEYS[:3]))
    assert store.keys(LEAVES) == []
    add_run(store, 2, dict.fromkeys(KEYS[:4]))
    add_run(store, 3, dict.fromkeys(KEYS))
    assert len(store.keys(LEAVES)) == 1 + 10
    assert len(store.keys(INDEX)) == 3


@given(
    st.lists(st.dictionaries(st.sampled_from(KEYS), REASONS, max_size=20), max_size=5), st.data()
)
def test_range_of_any_parts_is_what_all_of_them_say_of_it(
    runs: list[dict[str, Reason | None]], data: st.DataObject
) -> None:
    store = MemoryStore()
    for minute, reasons in enumerate(runs):
        add_run(store, minute, reasons)
    index = StoredIndex.opened(store)
    whole = held_at_once(store, index.part_keys)
    after = data.draw(st.sampled_from(["", *KEYS]))
    until = data.draw(st.none() | st.sampled_from(KEYS))
    expected = {
        key: entry
        for key, entry in sorted(whole.items())
        if key > after and (until is None or key <= until)
    }
    assert list(index.rows(after, until)) == list(expected.items())
    wanted = sorted(data.draw(st.sets(st.sampled_from([*KEYS, "05x"]))))
    assert index.rows_of(wanted) == {key: whole[key] for key in wanted if key in whole}


def test_few_keys_are_found_in_few_leaves() -> None:
    store = CountingStore()
    add_run(store, 1, dict.fromkeys(KEYS))
    index = StoredIndex.opened(store)
    store.seen.clear()
    assert set(index.rows_of(["09", "30"])) == {"09", "30"}
    assert len(store.seen) == 2
    store.seen.clear()
    assert [key for key, _ in index.rows("10", "17")] == KEYS[11:18]
    assert len(store.seen) == 3


def test_part_of_an_older_version_with_very_many_rows_is_read_by_ranges() -> None:
    store, run = MemoryStore(), run_at(1)
    entries = {key: Entry("e", None, run) for key in KEYS}
    store.write(index_key(run.started, run.run_id), encode_part(entries))
    index = StoredIndex.opened(store)
    assert [key for key, _ in index.rows("10", "12")] == ["11", "12"]
    assert dict(index.rows()) == entries


@given(st.lists(st.dictionaries(st.sampled_from(KEYS[:8]), REASONS, max_size=6), max_size=7))
def test_merging_the_newest_parts_changes_nothing_that_is_read(
    runs: list[dict[str, Reason | None]],
) -> None:
    store = MemoryStore()
    for minute, reasons in enumerate(runs):
        add_run(store, minute, reasons)
    before = dict(StoredIndex.opened(store).rows())
    shards = StoredIndex.opened(store).shards
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "MAX_PARTS", 2)
        patch.setattr(merging, "MAX_MERGED_ROWS", 12)
        patch.setattr(merging, "_BYTES_PER_ROW", 100)
        merge_parts(store)
    after = StoredIndex.opened(store)
    assert dict(after.rows()) == before
    assert after.shards == shards
    assert set(store.keys(LEAVES)) == {leaf.key for part in after.parts for leaf in part.leaves}


def test_part_that_is_merged_while_its_leaves_are_read_goes_on_in_its_new_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    for minute in (1, 2):
        add_run(store, minute, dict.fromkeys(KEYS[minute::2]))
    monkeypatch.setattr(merging, "MAX_PARTS", 1)
    rows = StoredIndex.opened(store).rows()
    first = [next(rows)[0] for _ in range(5)]
    merge_parts(store)
    assert first + [key for key, _ in rows] == sorted({*KEYS[1::2], *KEYS[2::2]})


def test_rows_in_no_order_are_refused() -> None:
    store, run = MemoryStore(), run_at(1)

    def rows() -> Iterator[tuple[str, Entry]]:
        for key in ["a", "c", "b", "d", "e"]:
            yield key, Entry("e", None, run)

    with pytest.raises(ValueError, match="not in the order of their keys"):
        list(written_leaves(store, "stem", rows(), {}, {}))
