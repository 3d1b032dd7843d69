"""What a stopped run has resized is taken for granted, where it is the same work."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from imagemill_app.plan.earlier.half_done import half_done
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, decode_journal, encode_journal
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import IndexedRun

SOURCE = Location.of_folder(PurePosixPath("/photos"))
OBJECTS = [SourceObject(f"{name}.jpg", f"etag-{name}", 10) for name in "abcd"]
STOPPED = IndexedRun("run-1", "2026-11-25T00:00:00Z", str(SOURCE), Recipe().to_document())


def resized(key: str, digest: str = "0" * 64) -> Outcome:
    return Outcome(key, Status.WRITTEN, output_key=f"resized/{key}", output_bytes=5, sha256=digest)


@pytest.fixture
def output(tmp_path: Path) -> Location:
    """A run of four pictures: two resized, one rejected, one not yet looked at."""
    location = Location.of_folder(PurePosixPath(tmp_path))
    shard = Shard("run-1", "00000", SOURCE, location, Recipe(), OBJECTS)
    rows = [resized("a.jpg"), resized("b.jpg"), Outcome("c.jpg", Status.REJECTED, Reason.CORRUPT)]
    bodies = {
        keys.plan_key("run-1"): json.dumps(
            [{"shard": location.address_of(keys.shard_key("run-1", "00000"))}]
        ).encode(),
        keys.shard_key("run-1", "00000"): shard.encode(),
        keys.journal_key("run-1", Stage.RESIZE, "00000", "000000-x"): encode_journal({}, rows),
    }
    for key, body in bodies.items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return location


def test_resized_pictures_are_left_to_the_new_jobs(output: Location, tmp_path: Path) -> None:
    found = half_done([STOPPED], OBJECTS, SOURCE, output, Recipe())
    assert set(found.rows) == {"a.jpg", "b.jpg"}
    found.write_journal(Shard("run-2", "00003", SOURCE, output, Recipe(), OBJECTS[1:]))
    (page,) = (tmp_path / keys.journal_folder("run-2", Stage.RESIZE, "00003")).iterdir()
    _, rows = decode_journal(page.read_bytes())
    assert rows == [resized("b.jpg")]


def test_a_shard_of_which_nothing_is_half_done_gets_no_journal(
    output: Location, tmp_path: Path
) -> None:
    found = half_done([STOPPED], OBJECTS, SOURCE, output, Recipe())
    found.write_journal(Shard("run-2", "00000", SOURCE, output, Recipe(), OBJECTS[2:]))
    assert not (tmp_path / keys.run_journal_folder("run-2")).exists()


def test_a_picture_that_has_changed_since_is_resized_again(output: Location) -> None:
    changed = [SourceObject("a.jpg", "another", 10), OBJECTS[1]]
    assert set(half_done([STOPPED], changed, SOURCE, output, Recipe()).rows) == {"b.jpg"}


@pytest.mark.parametrize(
    ("source", "recipe"),
    [(SOURCE, Recipe(size=64)), (Location.of_folder(PurePosixPath("/others")), Recipe())],
)
def test_another_recipe_or_source_is_other_work(
    output: Location, source: Location, recipe: Recipe
) -> None:
    assert half_done([STOPPED], OBJECTS, source, output, recipe).rows == {}


def test_a_recipe_of_an_earlier_release_is_the_same_with_the_fields_of_today(
    output: Location,
) -> None:
    before = {name: value for name, value in STOPPED.recipe.items() if name != "more_stages"}
    found = half_done([replace(STOPPED, recipe=before)], OBJECTS, SOURCE, output, Recipe())
    assert set(found.rows) == {"a.jpg", "b.jpg"}


def test_rows_that_no_digest_proves_are_done_again(output: Location, tmp_path: Path) -> None:
    page = tmp_path / keys.journal_key("run-1", Stage.RESIZE, "00000", "000000-x")
    page.write_bytes(encode_journal({}, [resized("a.jpg", digest="")]))
    assert half_done([STOPPED], OBJECTS, SOURCE, output, Recipe()).rows == {}


def test_a_run_without_a_plan_has_done_nothing(output: Location, tmp_path: Path) -> None:
    (tmp_path / keys.plan_key("run-1")).unlink()
    assert half_done([STOPPED], OBJECTS, SOURCE, output, Recipe()).rows == {}
