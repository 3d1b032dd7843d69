"""A plan is written as a whole, and its commit last."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from imagemill_app import stores
from imagemill_app.labels import numbered_classes
from imagemill_app.plan import documents
from imagemill_app.plan.documents import Plan, write_plan, write_slice
from imagemill_app.plan.earlier.remaining import Work
from imagemill_app.plan.planned_run import PlannedRun
from imagemill_app.results.open_runs import OpenRun, open_runs
from imagemill_contract import keys
from imagemill_contract.document_parts.lines import decode_lines
from imagemill_contract.documents import Shard, SourceObject, decode_outcomes
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import Output, Recipe

RUN_ID = "run-1"
SOURCE = Location("s3://input-bucket", "full/")
OBJECTS = [SourceObject(f"full/{name}", "e", 5) for name in ("a/1.jpg", "b/2.jpg", "b/3.jpg")]
REFUSED = [Outcome("full/x.jpg", Status.REJECTED, Reason.KEY_COLLISION)]


class Places:
    """An output and the bucket that the Map reads from, as folders."""

    def __init__(self, folder: Path) -> None:
        self.output_folder, self.bucket_folder = folder / "output", folder / "bucket"
        self.output = Location.of_folder(PurePosixPath(self.output_folder))
        self.bucket = Location.of_folder(PurePosixPath(self.bucket_folder))

    def plan(self, **changes: Any) -> Plan:
        plan = Plan(
            source=SOURCE,
            output=self.output,
            shards=[OBJECTS[:1], OBJECTS[1:]],
            work=Work(OBJECTS, {"new": 3}, {}),
            refused=REFUSED,
            ignored={},
            deleted={"gone.jpg": ["resized/gone.jpg"]},
        )
        return replace(plan, **changes)

    def write(self, plan: Plan, recipe: Recipe) -> None:
        run = PlannedRun(
            run_id=RUN_ID,
            started="2026-11-23T10:00:00.000Z",
            source=str(SOURCE),
            output=str(self.output),
            recipe=recipe.to_document(),
            items_key=keys.plan_key(RUN_ID),
            map_results_prefix=keys.map_results_prefix(RUN_ID),
            shards=len(plan.shards),
            objects=3,
            refused=1,
            ignored={},
            bytes=15,
        )
        numbers = numbered_classes(self.output, plan.classes()) if recipe.is_packed else {}
        write_slice(RUN_ID, recipe, plan, numbers)
        marker = OpenRun(asdict(run), frozenset(), frozenset())
        write_plan(marker, self.output, plan.totals(RUN_ID, recipe), self.bucket)

    def read(self, key: str) -> bytes:
        return (self.output_folder / key).read_bytes()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def test_documents_say_what_the_plan_says(places: Places) -> None:
    places.write(places.plan(), Recipe(size=99))
    items = json.loads(places.read(keys.plan_key(RUN_ID)))
    assert [(item["objects"], item["bytes"]) for item in items] == [(1, 5), (2, 10)]
    for item, objects in zip(items, (OBJECTS[:1], OBJECTS[1:]), strict=True):
        key = keys.shard_key(RUN_ID, item["shard_id"])
        assert item["shard"] == places.output.address_of(key)
        shard = Shard.decode(places.read(key))
        assert (shard.run_id, shard.shard_id) == (RUN_ID, item["shard_id"])
        assert (shard.objects, shard.recipe.size, shard.labels) == (objects, 99, {})
    assert decode_outcomes(places.read(keys.refused_key(RUN_ID)))[1] == REFUSED
    _, rows = decode_lines("deleted", places.read(keys.deleted_key(RUN_ID)))
    assert rows == [{"key": "gone.jpg", "outputs": ["resized/gone.jpg"]}]
    assert [run.run_id for run in open_runs(places.output)] == [RUN_ID]


def test_items_are_in_the_bucket_of_the_map_too(places: Places) -> None:
    places.write(places.plan(), Recipe())
    bucket = places.bucket_folder / keys.plan_key(RUN_ID)
    assert bucket.read_bytes() == places.read(keys.plan_key(RUN_ID))


def test_no_document_of_deleted_sources_is_written_where_none_is_gone(places: Places) -> None:
    places.write(places.plan(deleted={}), Recipe())
    assert not (places.output_folder / keys.deleted_key(RUN_ID)).exists()


def test_shard_has_the_numbers_of_its_own_classes(places: Places) -> None:
    recipe = Recipe(output=Output.WEBDATASET, label_from_folder=True)
    places.write(places.plan(), recipe)
    items = json.loads(places.read(keys.plan_key(RUN_ID)))
    shards = [Shard.decode(places.read(keys.shard_key(RUN_ID, i["shard_id"]))) for i in items]
    assert [shard.labels for shard in shards] == [{"a": 0}, {"b": 1}]


def failing_at(step: int, write: Callable[..., str]) -> Callable[..., str]:
    """Writes until the store is gone at that step."""
    count = 0

    def write_or_fail(location: Location, key: str, body: bytes) -> str:
        nonlocal count
        count += 1
        if count == step:
            raise ConnectionError(key)
        return write(location, key, body)

    return write_or_fail


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_plan_that_cannot_be_written_to_its_end_is_none(
    places: Places, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(documents, "write_bytes", failing_at(step, stores.write_bytes))
    with pytest.raises(ConnectionError):
        places.write(places.plan(), Recipe())
    assert not (places.output_folder / keys.plan_key(RUN_ID)).exists()
    assert not (places.bucket_folder / keys.plan_key(RUN_ID)).exists()
