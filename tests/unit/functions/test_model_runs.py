"""Runs with a model, step by step: three stages in plan, report and index."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagemill_app.plan.earlier.recipe_change import change_of
from imagemill_app.refusal import RunRefused
from imagemill_app.results.planned_shards import planned_shards
from imagemill_contract.keys import report_key
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from tests.helpers.networks import network
from tests.helpers.run_steps import INPUT, OUTPUT, SETTINGS, Worker, plan, report

MODEL = f"s3://{INPUT}/models/model.onnx"


@pytest.fixture
def s3(aws: dict[str, Any]) -> Any:
    for name in ("a", "b", "c"):
        aws["s3"].put_object(Bucket=INPUT, Key=f"full/{name}.jpg", Body=name.encode())
    put_model(aws["s3"], network("vector"))
    return aws["s3"]


def put_model(s3: Any, body: bytes, key: str = "models/model.onnx") -> None:
    s3.put_object(Bucket=INPUT, Key=key, Body=body)


def request(**recipe: object) -> dict[str, Any]:
    return {"source": f"s3://{INPUT}/full/", "recipe": {"model": MODEL, **recipe}}


def names_in(s3: Any, prefix: str) -> list[str]:
    pages = s3.list_objects_v2(Bucket=OUTPUT, Prefix=prefix)
    return [item["Key"] for item in pages.get("Contents", ())]


def test_a_run_with_a_model_has_three_stages_and_the_next_one_nothing_to_do(s3: Any) -> None:
    run = plan(request())
    (item,) = json.loads(s3.get_object(Bucket=OUTPUT, Key=run["items_key"])["Body"].read())
    assert item["stages"] == ["resize", "model", "edge"]
    assert len(run["recipe"]["model_sha256"]) == 64
    (shard,) = planned_shards(Location(f"s3://{OUTPUT}"), "run-1")
    assert shard.recipe.model_sha256 == run["recipe"]["model_sha256"]
    Worker(run).finish()
    verdict = report(run)
    assert verdict.sentence == (
        "3 of 3 pictures resized, 3 outputs of the model, 3 edge maps, 0 rejected."
    )
    assert {stage: counts["written"] for stage, counts in verdict.stages.items()} == {
        **{"resize": 3, "model": 3, "edge": 3}
    }
    document = json.loads(s3.get_object(Bucket=OUTPUT, Key=report_key("run-1"))["Body"].read())
    assert document["recipe"]["model_sha256"] == run["recipe"]["model_sha256"]
    assert plan(request(), "run-2", 2)["done"] == {"unchanged": 3}


def test_what_the_model_gave_is_missed_like_any_result(s3: Any) -> None:
    run = plan(request())
    Worker(run).finish()
    report(run)
    s3.delete_object(Bucket=OUTPUT, Key="model_output/b.jpg.npy")
    assert plan(request(), "run-2", 2)["to_do"] == {"output missing": 1}


def test_another_model_is_a_reason_to_do_pictures_again_and_another_place_is_none(s3: Any) -> None:
    run = plan(request())
    Worker(run).finish()
    report(run)
    put_model(s3, network("vector"), "elsewhere.onnx")
    moved = plan(request(model=f"s3://{INPUT}/elsewhere.onnx"), "run-2", 2)
    assert moved["done"] == {"unchanged": 3}
    put_model(s3, network("vector", shape=("batch", 3, 32, 32)))
    changed = plan(request(), "run-3", 3)
    assert changed["to_do"] == {"model changed": 3}
    pinned = request(model_sha256=run["recipe"]["model_sha256"])
    with pytest.raises(RunRefused, match="so it is another one"):
        plan(pinned, "run-4", 4)


def test_labels_that_an_earlier_release_did_not_write_down_are_no_change() -> None:
    model = {"model": MODEL, "model_output": "scores", "model_sha256": "ab" * 32}
    now = Recipe.from_document({**model, "model_labels": ["cat", "dog"]}).to_document()
    then = {name: value for name, value in now.items() if name != "model_labels"}
    assert change_of(then, now) == ""
    assert "model_labels" in change_of({**now, "model_labels": ["dog", "cat"]}, now)
    assert change_of({**then, "model_sha256": "cd" * 32}, now) == "model changed"


def test_with_prune_the_outputs_of_deleted_pictures_go(s3: Any) -> None:
    run = plan(request())
    Worker(run).finish()
    report(run)
    s3.delete_object(Bucket=INPUT, Key="full/b.jpg")
    report(plan({**request(), "prune": True}, "run-2", 2))
    assert names_in(s3, "model_output/") == ["model_output/a.jpg.npy", "model_output/c.jpg.npy"]


def test_what_a_stopped_run_has_taken_through_all_stages_is_taken_over(s3: Any) -> None:
    first = plan(request())
    Worker(first).begin(2)
    s3.put_object(Bucket=OUTPUT, Key="runs/run-1/stopped.json", Body=b"{}")
    second = plan(request(), "run-2", 2)
    assert second["objects"] == 3 - 2
    Worker(second).finish()
    assert report(second).stages["model"]["written"] == 1


def test_slices_plan_with_the_model_that_the_run_began_with(s3: Any) -> None:
    run = plan(request(), settings=replace(SETTINGS, slice_objects=2))
    assert len(run["slices"]) > 1
    digests = {
        shard.recipe.model_sha256 for shard in planned_shards(Location(f"s3://{OUTPUT}"), "run-1")
    }
    assert digests == {run["recipe"]["model_sha256"]}
    Worker(run).finish()
    assert report(run).stages["model"]["written"] == 3


@pytest.mark.parametrize(
    ("recipe", "stages", "sentence"),
    [
        ({"edge": "none", "model": ""}, ["resize"], "3 of 3 pictures resized, 0 rejected."),
        (
            {"edge": "none"},
            ["resize", "model"],
            "3 of 3 pictures resized, 3 outputs of the model, 0 rejected.",
        ),
    ],
)
def test_without_edges_a_run_has_no_edge_stage(
    s3: Any, recipe: dict[str, object], stages: list[str], sentence: str
) -> None:
    run = plan(request(**recipe))
    (item,) = json.loads(s3.get_object(Bucket=OUTPUT, Key=run["items_key"])["Body"].read())
    assert item["stages"] == stages
    Worker(run).finish()
    verdict = report(run)
    assert (list(verdict.stages), verdict.sentence) == (stages, sentence)
    assert names_in(s3, "edges/") == []
    assert plan(request(**recipe), "run-2", 2)["done"] == {"unchanged": 3}


def test_model_on_a_machine_or_without_an_image_is_refused(s3: Any, tmp_path: Path) -> None:
    strict = replace(SETTINGS, allow_file_uris=False)
    with pytest.raises(RunRefused, match=r"recipe\.model: .* it must be s3://"):
        plan(request(model=(tmp_path / "m.onnx").as_uri()), settings=strict)
    bare = replace(SETTINGS, model_image_uri="")
    with pytest.raises(RunRefused, match="no image for models"):
        plan(request(), settings=bare)
