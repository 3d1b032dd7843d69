"""Runs with different recipes into one output at the same time: one says so, the next repairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from imagemill_app.aggregate import run_report
from imagemill_app.aggregate.run_part import RunPart
from imagemill_app.results import recorded_results
from imagemill_app.stores import StoreAt, read_bytes
from imagemill_contract import keys
from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import Recipe
from imagemill_dataset.stored_index import read_index
from tests.helpers.run_steps import INPUT, Run, Worker, plan, report

NAMES = [f"{number:02}.jpg" for number in range(10)]
SMALL, LARGE = {"size": 64}, {"size": 256}

Request = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(params=["bucket", "folder"])
def request_with(request: pytest.FixtureRequest, aws: dict[str, Any], tmp_path: Path) -> Request:
    """A request with a recipe, from bucket to bucket or from folder to folder."""
    (tmp_path / "photos").mkdir()
    for name in NAMES:
        (tmp_path / "photos" / name).write_bytes(name.encode())
        aws["s3"].put_object(Bucket=INPUT, Key=f"full/{name}", Body=name.encode())
    if request.param == "bucket":
        return lambda recipe: {"source": f"s3://{INPUT}/full/", "shards": 2, "recipe": recipe}
    locations = (Location.of_folder(PurePosixPath(tmp_path / name)) for name in ("photos", "out"))
    source, output = map(str, locations)
    return lambda recipe: {"source": source, "output": output, "shards": 2, "recipe": recipe}


def output_of(run: Run) -> Location:
    return Location.parse(run["output"], "run.output")


def check_repaired(request_with: Request, recipe: dict[str, Any], minute: int) -> None:
    """One more run leaves results of one recipe only, and the next has nothing to do."""
    request = request_with(recipe)
    run = plan(request, f"run-{minute}", minute)
    Worker(run).finish()
    assert report(run).verdict == "succeeded"
    digest = Recipe.from_document(recipe).digest
    for name in NAMES:
        for stage in stages_of(Recipe()):
            key = keys.output_key(stage, name, Recipe())
            assert read_bytes(output_of(run), key).decode().startswith(f"{digest} {stage}")
    assert plan({**request, "dry_run": True}, "run-99", 59)["objects"] == 0


def first_of(worker: Worker, count: int) -> Callable[[str], bool]:
    chosen = set(worker.keys[:count])
    return lambda key: key in chosen


@pytest.fixture(params=[100, 0], ids=["asked for", "listed"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results are asked for one by one, or all are listed."""
    monkeypatch.setattr(recorded_results, "MAX_ASKED_FOR", request.param)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("next_recipe", [SMALL, LARGE])
def test_stalled_run_that_goes_on_after_another_fails_and_says_whose_results_are_whose(
    request_with: Request, next_recipe: dict[str, Any]
) -> None:
    slow = plan(request_with(SMALL))
    worker = Worker(slow)
    before = worker.begin(3)
    fast = plan(request_with(LARGE), "run-2", 2)
    Worker(fast).finish()
    assert report(fast).verdict == "succeeded"
    worker.go_on(before)
    verdict = report(slow)
    assert verdict.verdict == "failed"
    assert (
        "3 results overwritten by run-2, 7 results of run-2 overwritten by it, because they ran at "
        "the same time with another recipe or source: the next run does these again"
    ) in verdict.sentence
    again = plan({**request_with(LARGE), "dry_run": True}, "run-3", 3)
    assert (again["to_do"], again["done"]) == ({"overwritten by another run": 7}, {"unchanged": 3})
    check_repaired(request_with, next_recipe, 3)


def test_run_that_was_started_first_and_ends_first_is_told_of_by_the_other(
    request_with: Request,
) -> None:
    first = plan(request_with(SMALL))
    second = plan(request_with(LARGE), "run-2", 2)
    worker = Worker(second)
    worker.write_results(first_of(worker, 4))
    Worker(first).finish()
    assert report(first).verdict == "succeeded"
    worker.write_results(lambda key: not first_of(worker, 4)(key))
    worker.record()
    verdict = report(second)
    assert verdict.verdict == "failed"
    assert "4 results overwritten by run-1, because they ran at the same time" in verdict.sentence
    check_repaired(request_with, LARGE, 3)


def test_edges_of_a_picture_that_another_has_overwritten_are_not_called_damaged(
    request_with: Request,
) -> None:
    slow = plan(request_with(SMALL))
    worker = Worker(slow)
    worker.finish()
    fast = plan(request_with(LARGE), "run-2", 2)
    Worker(fast).finish()
    report(fast)
    for shard in worker.shards:
        rows = [Outcome(it.key, Status.FAILED, Reason.DAMAGED) for it in shard.objects]
        worker.put_outcomes(shard, Stage.EDGE, rows)
    assert "10 results overwritten by run-2" in report(slow).sentence


def test_run_whose_results_are_all_there_succeeds_beside_one_that_was_stopped(
    request_with: Request,
) -> None:
    Worker(plan(request_with(SMALL))).begin(5)
    second = plan(request_with(LARGE), "run-2", 2)
    Worker(second).finish()
    assert report(second).verdict == "succeeded"
    assert plan({**request_with(LARGE), "dry_run": True}, "run-3", 3)["objects"] == 0


def test_what_a_killed_run_has_overwritten_without_a_word_is_done_again(
    request_with: Request,
) -> None:
    worker = Worker(plan(request_with(SMALL)))
    second = plan(request_with(LARGE), "run-2", 2)
    Worker(second).finish()
    report(second)
    worker.write_results(first_of(worker, 6))
    third = plan(request_with(LARGE), "run-3", 3)
    assert third["to_do"] == {"overwritten by another run": 6}
    assert third["done"] == {"unchanged": 4}
    Worker(third).finish()
    report(third)
    check_repaired(request_with, LARGE, 4)


def test_results_that_were_removed_by_hand_are_not_taken_for_those_of_another(
    request_with: Request,
) -> None:
    first = plan(request_with(SMALL))
    Worker(first).finish()
    StoreAt(output_of(first)).remove([keys.output_key(Stage.EDGE, NAMES[0], Recipe())])
    assert report(first).verdict == "succeeded"


def test_runs_with_the_same_recipe_are_no_rivals(request_with: Request) -> None:
    first, second = plan(request_with(SMALL)), plan(request_with(SMALL), "run-2", 2)
    for run in (first, second):
        Worker(run).finish()
    for run in (second, first):
        assert report(run).verdict == "succeeded"
    assert plan({**request_with(SMALL), "dry_run": True}, "run-3", 3)["objects"] == 0


def test_one_size_that_another_run_has_overwritten_is_found(request_with: Request) -> None:
    slow = plan(request_with({"sizes": [64, 128]}))
    Worker(slow).finish()
    fast = plan(request_with({"sizes": [64, 256]}), "run-2", 2)
    Worker(fast).finish()
    assert report(fast).verdict == "succeeded"
    verdict = report(slow)
    assert verdict.verdict == "failed"
    assert "10 results overwritten by run-2" in verdict.sentence


def test_same_bytes_that_a_third_run_wrote_again_are_its_own(request_with: Request) -> None:
    first = plan(request_with(SMALL))
    twin = plan(request_with(SMALL), "run-2", 2)
    plan(request_with(LARGE), "run-3", 3)
    Worker(first).finish()
    Worker(twin).finish()
    assert report(first).verdict == "succeeded"


def test_run_without_a_marker_still_finds_that_it_was_overwritten(request_with: Request) -> None:
    slow = plan(request_with(SMALL))
    Worker(slow).finish()
    StoreAt(output_of(slow)).remove([keys.open_run_key(slow["run_id"])])
    fast = plan(request_with(LARGE), "run-2", 2)
    Worker(fast).finish()
    report(fast)
    verdict = report(slow)
    assert verdict.verdict == "failed"
    assert "10 results overwritten by run-2" in verdict.sentence


def test_rival_that_has_removed_its_documents_is_not_believed(request_with: Request) -> None:
    slow = plan(request_with(SMALL))
    fast = plan(request_with(LARGE), "run-2", 2)
    Worker(fast).finish()
    report(fast)
    store = StoreAt(output_of(fast))
    store.remove(store.keys(keys.run_folder("run-2")))
    worker = Worker(slow)
    worker.begin(0)
    worker.record_failures()
    assert "10 results of run-2 overwritten by it" in report(slow).sentence


def test_aggregating_again_says_the_same(request_with: Request) -> None:
    slow = plan(request_with(SMALL))
    worker = Worker(slow)
    before = worker.begin(3)
    fast = plan(request_with(LARGE), "run-2", 2)
    Worker(fast).finish()
    report(fast)
    worker.go_on(before)
    verdict = report(slow)
    index = read_index(StoreAt(output_of(slow))).entries
    assert report(slow) == verdict
    assert read_index(StoreAt(output_of(slow))).entries == index
    assert sum(entry.reason is Reason.OVERWRITTEN for entry in index.values()) == 7


@pytest.mark.parametrize("first_minute", [1, 3])
@pytest.mark.parametrize("moment", ["RunPart.write", "open_runs", "rivals_of", "write_bytes"])
def test_at_whatever_moment_another_ends_the_index_says_of_no_result_that_it_is_anothers(
    request_with: Request, moment: str, first_minute: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run is aggregated at once before a step of the first one's aggregation."""
    first = plan(request_with(SMALL), "run-1", first_minute)
    second = plan(request_with(LARGE), "run-2", 2)
    workers = Worker(first), Worker(second)
    half = first_of(workers[0], 5)
    workers[1].write_results(half)
    workers[0].finish()
    workers[1].write_results(lambda key: not half(key))
    workers[1].record()
    owner: Any = RunPart if moment == "RunPart.write" else run_report
    name = moment.removeprefix("RunPart.")
    step = getattr(owner, name)

    def interrupted(*arguments: Any) -> Any:
        monkeypatch.setattr(owner, name, step)
        report(second)
        return step(*arguments)

    monkeypatch.setattr(owner, name, interrupted)
    report(first)
    output = output_of(first)
    for name, entry in read_index(StoreAt(output)).entries.items():
        if entry.reason is None:
            digest = Recipe.from_document(entry.run.recipe).digest
            key = keys.output_key(Stage.EDGE, name, Recipe())
            assert read_bytes(output, key).decode().startswith(digest)
    check_repaired(request_with, LARGE, 4)
