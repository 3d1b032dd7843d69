"""What the index knows of a range of keys: of objects that are there, and of deleted ones."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from imagemill_app.plan.earlier.known import Known, known_range, known_rows
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Entry, IndexedRun
from imagemill_dataset.stored_index import StoredIndex, write_index_part
from tests.helpers.memory_store import MemoryStore

SOURCE = Location("s3://input-bucket", "full/")


def run_over(source: Location | str, number: int = 0) -> IndexedRun:
    started = f"2026-11-23T10:0{number}:00.000Z"
    return IndexedRun(f"run-{number}", started, str(source), Recipe().to_document())


def index_with(rows: dict[str, Entry]) -> StoredIndex:
    store = MemoryStore()
    write_index_part(store, run_over(SOURCE), rows)
    return StoredIndex.opened(store)


def of_all(index: StoredIndex, source: Location, *existing: str, most_gone: int = 9) -> Known:
    return known_range(index, source, "", None, frozenset(existing), most_gone)


def test_deleted_sources_are_those_of_the_same_source_that_are_gone() -> None:
    done, other = Entry("e", None, run_over(SOURCE)), Entry("e", None, run_over("s3://o/", 1))
    found = of_all(index_with({"a": done, "b": done, "x": other}), SOURCE, "full/a")
    assert (found.entries, found.gone, found.until) == ({"a": done}, {"b": done}, None)


def test_what_is_hidden_in_a_folder_is_not_taken_for_deleted(tmp_path: Path) -> None:
    folder = Location.of_folder(PurePosixPath(tmp_path))
    names = [".a/1.jpg", "b.jpg", "c/.2.jpg"]
    for source, gone in ((folder, ["b.jpg"]), (SOURCE, names)):
        rows = {name: Entry("e", None, run_over(source)) for name in names}
        assert list(of_all(index_with(rows), source).gone) == gone


def test_range_knows_nothing_of_what_is_beside_it() -> None:
    rows = {name: Entry("e", None, run_over(SOURCE)) for name in "abcdef"}
    found = known_range(index_with(rows), SOURCE, "b", "d", frozenset({"full/a", "full/c"}), 9)
    assert (list(found.entries), list(found.gone)) == (["c"], ["d"])


def test_more_deleted_sources_than_can_be_held_end_the_range() -> None:
    index = index_with({name: Entry("e", None, run_over(SOURCE)) for name in "abcdef"})
    found = of_all(index, SOURCE, "full/b", "full/f", most_gone=2)
    assert (list(found.entries), list(found.gone), found.until) == (["b"], ["a", "c"], "c")


def test_objects_are_looked_up_by_name() -> None:
    index = index_with({name: Entry(name, None, run_over(SOURCE)) for name in "abc"})
    assert {key: it.etag for key, it in known_rows(index, ["a", "c", "d"]).entries.items()} == {
        "a": "a",
        "c": "c",
    }
