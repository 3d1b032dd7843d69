"""With `drop_duplicates` objects with the same bytes as another are left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.plan.sifting.copies import without_copies
from imagemill_app.stores import read_bytes
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location, split_object_address
from imagemill_contract.outcomes import Reason, Status
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Entry, IndexedRun
from tests.helpers.run_steps import INPUT, SETTINGS, Worker, plan, report

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


def put(folder: str, bodies: Mapping[str, bytes]) -> None:
    client = boto3.client("s3")
    for name, body in bodies.items():
        client.put_object(Bucket=INPUT, Key=f"{folder}/{name}", Body=body)


def finished(request: dict[str, Any], minute: int, most_objects: int = 250_000) -> dict[str, Any]:
    """The report of a run."""
    limits = replace(SETTINGS, slice_objects=most_objects)
    run = plan(request, f"run-{minute}", minute, limits)
    Worker(run).finish()
    location, key = split_object_address(report(run).report, "report")
    document: dict[str, Any] = json.loads(read_bytes(location, key))
    return document


def left_out(document: Mapping[str, Any]) -> dict[str, str]:
    """Keys of the copies, with those of the pictures that are kept instead."""
    return {row["key"]: row["detail"].split()[6].rstrip(".,") for row in document["rejected"]}


ONCE = {"drop_duplicates": True}


@pytest.mark.parametrize("kind", ["bucket", "folder"])
def test_copies_in_different_slices_are_found_and_what_is_done_is_kept(
    aws: dict[str, Any], tmp_path: Path, kind: str
) -> None:
    def there(bodies: Mapping[str, bytes]) -> None:
        put("full", bodies)
        folder_with(tmp_path / "photos", bodies)

    request: dict[str, Any] = {"source": f"s3://{INPUT}/full/", "recipe": ONCE}
    if kind == "folder":
        places = {"source": tmp_path / "photos", "output": tmp_path / "out"}
        request |= {name: f"{path.as_uri()}/" for name, path in places.items()}
    prefix = "full/" if kind == "bucket" else ""
    there({f"{letter}.jpg": letter.encode() for letter in "bcdefgh"})
    there({"k.jpg": b"b", "m.jpg": b"d", "n.jpg": b"b", "o.jpg": b"n"})
    first = finished(request, 1, most_objects=3)
    copies = {"k.jpg": "b.jpg", "m.jpg": "d.jpg", "n.jpg": "b.jpg"}
    assert left_out(first) == {prefix + key: prefix + kept for key, kept in copies.items()}
    assert first["stages"]["resize"] | {"skipped": 0} == {
        **{"planned": 11, "written": 8, "rejected": 3, "skipped": 0, "failed": 0}
    }
    there({"a.jpg": b"h", "z.jpg": b"z"})  # comes before h.jpg, which is done
    second = finished(request, 2, most_objects=3)
    assert second["to_do"] == {"new": 1}
    assert second["done"] == {"unchanged": 8}
    assert left_out(second) == left_out(first) | {f"{prefix}a.jpg": f"{prefix}h.jpg"}
    third = plan({**request, "dry_run": True}, "run-3", 3, replace(SETTINGS, slice_objects=3))
    assert (third["objects"], third["refused"], third["done"]) == (0, 4, {"unchanged": 9})


def test_copy_of_what_an_earlier_run_has_done_elsewhere_is_left_out(aws: dict[str, Any]) -> None:
    put("2025", {"a.jpg": b"1", "b.jpg": b"2"})
    finished({"source": f"s3://{INPUT}/2025/", "recipe": ONCE}, 1)
    put("2026", {"c.jpg": b"1", "d.jpg": b"3"})
    second = finished({"source": f"s3://{INPUT}/2026/", "recipe": ONCE}, 2)
    assert left_out(second) == {"2026/c.jpg": "a.jpg"}
    put("small", {"x.jpg": b"2"})  # its like is there, but not as this recipe wants it
    small = {"source": f"s3://{INPUT}/small/", "recipe": {**ONCE, "size": 64}}
    assert left_out(finished(small, 5)) == {}
    put("2025", {"e.jpg": b"1"})
    request = {"source": f"s3://{INPUT}/2025/", "recipe": ONCE}
    boto3.client("s3").delete_object(Bucket=INPUT, Key="2025/a.jpg")
    third = finished(request, 3)
    assert third["to_do"] == {"new": 1}  # e.jpg takes the place of a.jpg, which is gone
    assert finished({**request, "full": True}, 4)["objects"] == 2
