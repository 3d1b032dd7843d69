"""The table of all pictures is written range by range, and only where something has changed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from arro3.io import read_parquet
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.index_keys import index_key
from imagemill_contract.keys import INDEX_TABLE, INDEX_TABLES
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset.files.holdings import Holdings
from imagemill_dataset.index import Entry, IndexedRun, Place
from imagemill_dataset.parts import merging
from imagemill_dataset.parts.merging import merge_parts
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_dataset.stored_dataset import publish_dataset
from imagemill_dataset.stored_index import StoredIndex, write_index_part
from imagemill_dataset.tables import drafts
from imagemill_dataset.tables import written_tables as writing
from imagemill_dataset.tables.drafts import Drafts, TableDraft
from imagemill_dataset.tables.written_tables import written_tables
from tests.helpers.memory_store import MemoryStore

RECIPE = Recipe(output=Output.WEBDATASET)
KEYS = [f"{number:02}" for number in range(30)]


@pytest.fixture(autouse=True)
def small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "TABLE_ROWS", 4)


def run_at(minute: int) -> IndexedRun:
    started = f"2026-11-23T10:{minute:02}:00.000Z"
    return IndexedRun(f"run-{minute}", started, "s3://in/", RECIPE.to_document())


def add_run(store: MemoryStore, minute: int, keys: list[str], reason: Reason | None = None) -> None:
    """A run that has packed these pictures, or has found that they are bad."""
    run, shard = run_at(minute), f"dataset/images-train-{minute:02}.tar"
    entries = {
        key: Entry(
            f"e{minute}", reason, run, place=None if reason else Place(shard, at, 8, 8, 9, 3, "a")
        )
        for at, key in enumerate(keys)
    }
    shards = [DatasetShard(shard, "train", len(keys), 10, "c" * 64, PixelSums())]
    write_index_part(store, run, entries, [] if reason else shards)


def rows_in(store: MemoryStore) -> list[dict[str, Any]]:
    """The rows of all files together."""
    rows: list[dict[str, Any]] = []
    for key in store.keys(INDEX_TABLE):
        table: Any = read_parquet(io.BytesIO(store.objects[key])).read_all().to_struct_array()
        rows += table.to_pylist()
    return sorted(rows, key=lambda row: str(row["source_key"]))


def written_by(store: MemoryStore) -> set[str]:
    """The files that are written when the dataset is published."""
    before = dict(store.objects)
    written_tables(store, StoredIndex.opened(store))
    return {key for key, body in store.objects.items() if before.get(key) != body}


def test_table_of_many_rows_has_several_files() -> None:
    store = MemoryStore()
    add_run(store, 1, KEYS)
    assert len(written_by(store) - {INDEX_TABLES}) == 7
    assert [row["source_key"] for row in rows_in(store)] == KEYS


def test_a_run_writes_the_files_of_its_own_ranges_only() -> None:
    store = MemoryStore()
    add_run(store, 1, KEYS)
    written_by(store)
    add_run(store, 2, ["09", "09-new"])
    assert len(written_by(store) - {INDEX_TABLES}) == 1
    found = {row["source_key"]: row["run_id"] for row in rows_in(store)}
    assert found == {key: "run-1" for key in KEYS} | {"09": "run-2", "09-new": "run-2"}
    assert written_by(store) == set()


def test_table_of_an_older_version_makes_room() -> None:
    store = MemoryStore()
    store.write(INDEX_TABLE, b"PAR1 of old")
    add_run(store, 1, KEYS[:3])
    publish_dataset(store, run_at(1))
    assert INDEX_TABLE not in store.objects
    assert len(rows_in(store)) == 3


class KilledError(Exception):
    pass


class DyingStore(MemoryStore):
    """A store of which one of the next writes never comes."""

    left = 0

    def write(self, key: str, body: bytes) -> None:
        self.left -= 1
        if self.left == 0:
            raise KilledError
        super().write(key, body)


@pytest.mark.parametrize("earlier", [[], KEYS[:5], KEYS[::7]])
@pytest.mark.parametrize("step", range(1, 12))
def test_writer_goes_on_where_another_one_was_killed(
    monkeypatch: pytest.MonkeyPatch, earlier: list[str], step: int
) -> None:
    monkeypatch.setattr(writing, "FILES_BETWEEN_NOTES", 2)
    expected, store = MemoryStore(), DyingStore()
    for at in (expected, store):
        if earlier:
            add_run(at, 1, earlier)
            written_by(at)
        add_run(at, 2, KEYS)
    whole = written_by(expected) - {INDEX_TABLES}
    store.left = step
    with pytest.raises(KilledError):
        written_tables(store, StoredIndex.opened(store))
    left = written_by(store) - {INDEX_TABLES}
    assert store.objects == expected.objects
    notes = (step - 1) // 3  # two files, and then a note
    assert len(left) <= len(whole) - 2 * notes


def test_run_that_ends_while_the_writer_is_dead_is_in_the_table_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "FILES_BETWEEN_NOTES", 2)
    store = DyingStore()
    add_run(store, 1, KEYS)
    store.left = 6
    with pytest.raises(KilledError):
        written_tables(store, StoredIndex.opened(store))
    add_run(store, 2, ["00", "29"])
    written_by(store)
    found = {row["source_key"]: row["run_id"] for row in rows_in(store)}
    assert found == {key: "run-1" for key in KEYS} | {"00": "run-2", "29": "run-2"}


@given(st.data())
def test_what_is_published_step_by_step_is_what_all_rows_add_up_to(data: st.DataObject) -> None:
    store = MemoryStore()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "MAX_PARTS", 3)
        for minute in range(data.draw(st.integers(1, 8))):
            keys = sorted(data.draw(st.sets(st.sampled_from(KEYS), min_size=1)))
            add_run(store, minute, keys, data.draw(st.none() | st.just(Reason.CORRUPT)))
            if data.draw(st.booleans()):
                publish_dataset(store, run_at(minute))
            merge_parts(store)
    held = publish_dataset(store, run_at(9))
    index = StoredIndex.opened(store)
    entries = dict(index.rows())
    assert held == Holdings.of_entries(entries.values(), index.shards)
    assert {row["source_key"]: row["run_id"] for row in rows_in(store)} == {
        key: entry.run.run_id for key, entry in entries.items()
    }


def draft_of(store: MemoryStore, minute: int) -> Drafts:
    """A draft of a run that is in the index already."""
    index, tables = StoredIndex.opened(store), list[TableDraft]()
    key = index_key(run_at(minute).started, run_at(minute).run_id)
    part = next(part for part in index.parts if part.key == key)
    rows = part.rows(store.read, "", None)
    assert list(drafts.drafted(rows, store, f"drafts/{minute}/", index.shards, tables))

    def copy(source: str, to: str) -> None:
        store.write(to, store.read(source))

    return Drafts(key, tables, copy)


def test_drafts_of_a_run_are_taken_as_they_are() -> None:
    store = MemoryStore()
    add_run(store, 1, KEYS)
    mine = draft_of(store, 1)
    for draft in mine.tables:
        store.objects[draft.table.key] += b"drafted"
    found = written_tables(store, StoredIndex.opened(store), mine)
    bodies = [store.read(table.key) for table in found.tables]
    assert len(bodies) == 8
    assert all(body.endswith(b"drafted") for body in bodies)


def test_drafts_that_another_run_has_rows_among_are_not_taken() -> None:
    store = MemoryStore()
    add_run(store, 2, KEYS)
    mine = draft_of(store, 2)
    add_run(store, 3, ["05"])
    for draft in mine.tables:
        store.objects[draft.table.key] += b"drafted"
    found = written_tables(store, StoredIndex.opened(store), mine)
    drafted = [store.read(table.key).endswith(b"drafted") for table in found.tables]
    assert drafted == [True, False, *[True] * 6]


def test_drafts_of_a_run_whose_part_is_merged_are_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(merging, "MAX_PARTS", 1)
    store = MemoryStore()
    add_run(store, 1, KEYS)
    mine = draft_of(store, 1)
    add_run(store, 2, ["05"])
    merge_parts(store)
    written_tables(store, StoredIndex.opened(store), mine)
    found = {row["source_key"]: row["run_id"] for row in rows_in(store)}
    assert found == {key: "run-1" for key in KEYS} | {"05": "run-2"}


@given(
    runs=st.lists(st.sets(st.sampled_from(KEYS), min_size=1), min_size=1, max_size=5),
    is_published=st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_a_table_from_drafts_has_the_rows_of_one_without(
    runs: list[set[str]], is_published: list[bool]
) -> None:
    store = MemoryStore()
    for minute, keys in enumerate(runs):
        add_run(store, minute, sorted(keys))
        if not is_published[minute]:
            continue
        mine = draft_of(store, minute)
        found = written_tables(store, StoredIndex.opened(store), mine)
        plain = MemoryStore()
        plain.objects = {key: body for key, body in store.objects.items() if key[:6] == "index/"}
        plain.objects.pop(INDEX_TABLES)
        expected = written_tables(plain, StoredIndex.opened(plain))
        assert rows_in(store) == rows_in(plain)
        shards = StoredIndex.opened(store).shards
        assert found.holdings(shards) == expected.holdings(shards)
        assert {table.key for table in found.tables} == set(store.keys(INDEX_TABLE))
