from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.index_keys import index_key
from imagemill_contract.keys import upkeep_lock_key
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Entry, IndexedRun, Place, encode_part
from imagemill_dataset.parts import merging
from imagemill_dataset.parts.merging import merge_parts
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_dataset.stored_index import read_index, write_index_part
from imagemill_dataset.upkeep_lock import UpkeepLock
from tests.helpers.memory_store import MemoryStore

RECIPE = Recipe()
SOURCE = "s3://input-bucket/full/"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def done(etag: str = "e1", reason: Reason | None = None) -> Entry:
    return Entry(etag, reason, run_at(0))


def run_at(minute: int, run_id: str = "") -> IndexedRun:
    started = f"2026-11-23T10:{minute:02}:00.000Z"
    return IndexedRun(run_id or f"run-{minute}", started, SOURCE, RECIPE.to_document())


def test_run_that_was_started_last_counts(store: MemoryStore) -> None:
    first, last = run_at(1), run_at(2)
    write_index_part(store, last, {"a.jpg": Entry("e2", None, last)})
    write_index_part(store, first, {"a.jpg": Entry("e1", None, first), "b.jpg": done()})
    assert {key: entry.etag for key, entry in read_index(store).entries.items()} == {
        "a.jpg": "e2",
        "b.jpg": "e1",
    }


def test_pruned_object_is_forgotten(store: MemoryStore) -> None:
    first, last = run_at(1), run_at(2)
    write_index_part(store, first, {"a.jpg": Entry("e1", None, first)})
    write_index_part(store, last, {"a.jpg": Entry("", None, last, is_pruned=True)})
    assert read_index(store).entries == {}


def packed(run: IndexedRun, shard: str, position: int = 0) -> Entry:
    return Entry("e1", None, run, place=Place(shard, position, 8, 8, 9, 3, "ab" * 32))


def dataset_shard(key: str) -> DatasetShard:
    return DatasetShard(key, "train", 1, 10, "cd" * 32, PixelSums())


def test_merging_parts_keeps_places_and_all_shards(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MAX_PARTS", 1)
    first, last = run_at(1), run_at(2)
    old, new = dataset_shard("dataset/a.tar"), dataset_shard("dataset/b.tar")
    write_index_part(store, first, {"a": packed(first, old.key)}, [old])
    write_index_part(store, last, {"a": packed(last, new.key)}, [new])
    before = read_index(store)
    merge_parts(store)
    after = read_index(store)
    assert len(after.part_keys) == 1
    assert (after.entries, after.shards) == (before.entries, before.shards)
    assert after.superseded_samples() == {old.key: 1}


def test_two_that_merge_at_once_lose_no_row(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MAX_PARTS", 1)
    late, middle, last = run_at(1), run_at(2), run_at(3)
    write_index_part(store, middle, {"b": Entry("e1", None, middle)})
    write_index_part(store, last, {"c": Entry("e1", None, last)})

    def other_merges_first() -> None:
        write_index_part(store, late, {"a": Entry("e1", None, late)})
        merge_parts(store)

    store.before_write = other_merges_first
    merge_parts(store)
    assert set(read_index(store).entries) == set("abc")


def test_part_that_another_merges_meanwhile_is_read_in_its_new_form(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minute in (1, 2):
        run = run_at(minute)
        write_index_part(store, run, {str(minute): Entry("e1", None, run)})
    monkeypatch.setattr(merging, "MAX_PARTS", 1)
    store.before_read = lambda: merge_parts(store)
    assert set(read_index(store).entries) == {"1", "2"}


@pytest.mark.parametrize(("age_seconds", "parts"), [(0, 2), (599, 2), (601, 1)])
def test_nothing_is_merged_while_the_dataset_is_rewritten(
    age_seconds: int, parts: int, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MAX_PARTS", 1)
    for minute in (1, 2):
        run = run_at(minute)
        write_index_part(store, run, {str(minute): Entry("e1", None, run)})
    lock = UpkeepLock("holder", "compact", time.time() - age_seconds)
    store.write(upkeep_lock_key(3), lock.encode())
    merge_parts(store)
    index = read_index(store)
    assert len(index.part_keys) == parts
    assert set(index.entries) == {"1", "2"}


def test_file_that_was_never_finished_is_no_part(store: MemoryStore) -> None:
    run = run_at(1)
    write_index_part(store, run, {"a": Entry("e1", None, run)})
    store.write(f"index/.{'0' * 24}.part", b"half")
    assert set(read_index(store).entries) == {"a"}


@given(st.data())
def test_merging_parts_changes_nothing_that_is_read(data: st.DataObject) -> None:
    store = MemoryStore()
    for minute in range(data.draw(st.integers(1, 8))):
        keys = data.draw(st.sets(st.sampled_from("abcdef")))
        run = run_at(minute)
        reason = data.draw(st.none() | st.just(Reason.CORRUPT))
        write_index_part(store, run, {key: Entry(f"e{minute}", reason, run) for key in keys})
    before = read_index(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "MAX_PARTS", 2)
        merge_parts(store)
    after = read_index(store)
    assert after.entries == before.entries
    assert len(after.part_keys) == (1 if len(before.part_keys) > 2 else len(before.part_keys))


def test_part_that_is_not_in_the_store_counts_as_if_it_were(store: MemoryStore) -> None:
    first, last = run_at(1), run_at(2)
    write_index_part(store, first, {"a": Entry("e1", None, first)})
    more = {index_key(last.started, last.run_id): encode_part({"a": Entry("e2", None, last)})}
    index = read_index(store, more)
    assert index.entries == {"a": Entry("e2", None, last)}
    assert index.part_keys == sorted([*store.objects, *more])
