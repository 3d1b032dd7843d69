"""With `drop_duplicates` objects with the same bytes as another are left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.plan.sifting.copies import without_copies
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason, Status
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Entry, IndexedRun
from tests.helpers.run_steps import Worker, plan, report

BUCKET = Location("s3://photos", "2026/")
RUN = IndexedRun("run-1", "2026", str(BUCKET), Recipe().to_document())
NOTHING: Mapping[str, Entry] = {}


def listed(*items: tuple[str, str, int]) -> list[SourceObject]:
    return [SourceObject(f"2026/{name}", etag, size) for name, etag, size in items]


def kept(objects: list[SourceObject], known: Mapping[str, Entry] = NOTHING) -> list[str]:
    sifted = without_copies(objects, BUCKET, known)
    assert len(sifted.kept) + len(sifted.refused) == len(objects)
    return [item.key.removeprefix("2026/") for item in sifted.kept]


def test_objects_of_the_same_length_and_etag_are_copies_of_the_first() -> None:
    objects = listed(("a", "1", 9), ("b", "1", 9), ("c", "1", 8), ("d", "2", 9), ("e", "1", 9))
    assert kept(objects) == ["a", "c", "d"]
    copy = without_copies(objects, BUCKET, NOTHING).refused[0]
    assert (copy.key, copy.status, copy.reason) == (
        "2026/b",
        Status.REJECTED,
        Reason.DUPLICATE,
    )
    assert copy.detail == "It has the same bytes as 2026/a."


def test_objects_without_etag_are_no_copies() -> None:
    assert kept(listed(("a", "", 9), ("b", "", 9))) == ["a", "b"]


def test_what_is_done_is_kept_unless_it_has_changed() -> None:
    objects = listed(("a", "1", 9), ("b", "1", 9))
    assert kept(objects, {"b": Entry("1", None, RUN)}) == ["b"]
    assert kept(objects, {"b": Entry("0", None, RUN)}) == ["a"]
    assert kept(objects, {"b": Entry("1", Reason.CORRUPT, RUN)}) == ["a"]
    assert kept(objects, {"b": Entry("", Reason.DUPLICATE, RUN)}) == ["a"]
    assert kept(objects, {"a": Entry("1", None, RUN), "b": Entry("1", None, RUN)}) == ["a"]


NAMES = st.lists(st.sampled_from("abcdefghij"), unique=True).map(sorted)


@given(NAMES, st.data())
def test_of_each_content_one_is_kept_and_stays(names: list[str], data: st.DataObject) -> None:
    content = {name: data.draw(st.sampled_from("123")) for name in names}
    first = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    done: dict[str, Entry] = {}
    for there in (sorted(first), names):
        objects = listed(*((name, content[name], 9) for name in there))
        found = kept(objects, done)
        assert sorted(content[name] for name in found) == sorted({content[it] for it in there})
        assert set(done) <= set(found)
        done = {name: Entry(content[name], None, RUN) for name in found}


def folder_with(path: Path, files: Mapping[str, bytes]) -> tuple[Location, list[SourceObject]]:
    for name, body in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(body)
    objects = [SourceObject(name, name, len(body)) for name, body in sorted(files.items())]
    return Location.of_folder(PurePosixPath(path)), objects


def test_files_are_copies_by_their_bytes(tmp_path: Path) -> None:
    big = bytes(9_000)
    files = {
        "a": big,
        "b": b"1" + big[1:],  # the same in the middle
        "c/a": big,
        "d": big[1:],
        "e": b"",
        "f": b"",
        "g": b"x",
        "h": b"x",
    }
    source, objects = folder_with(tmp_path, files)
    sifted = without_copies(objects, source, NOTHING)
    assert {item.key: item.detail.split()[-1] for item in sifted.refused} == {
        "c/a": "a.",
        "h": "g.",
    }


def test_a_file_that_is_gone_is_left_to_its_job(tmp_path: Path) -> None:
    source, objects = folder_with(tmp_path, {"a": b"1", "b": b"1", "c": b"1"})
    (tmp_path / "a").unlink()
    sifted = without_copies(objects, source, NOTHING)
    assert [item.key for item in sifted.kept] == ["a", "b"]


def test_a_run_writes_each_picture_once_and_a_copy_takes_the_place_of_what_is_gone(
    aws: dict[str, Any], tmp_path: Path
) -> None:
    folder_with(tmp_path / "photos", {"b.jpg": b"1", "c.jpg": b"1", "d.jpg": b"2"})
    request = {
        "source": (tmp_path / "photos").as_uri() + "/",
        "output": (tmp_path / "out").as_uri() + "/",
        "recipe": {"drop_duplicates": True},
    }

    def done(minute: int) -> tuple[list[str], dict[str, int]]:
        run = plan(request, f"run-{minute}", minute)
        worker = Worker(run)
        worker.finish()
        report(run)
        document = json.loads((tmp_path / f"out/runs/run-{minute}/report.json").read_bytes())
        return worker.keys, document["reasons"]

    assert done(1) == (["b.jpg", "d.jpg"], {"duplicate": 1})
    folder_with(tmp_path / "photos", {"a.jpg": b"1"})  # comes first, but b.jpg is done
    assert done(2) == ([], {"duplicate": 2})
    (tmp_path / "photos/b.jpg").unlink()
    assert done(3) == (["a.jpg"], {"duplicate": 1})
