"""The bill adds up what jobs and functions have used, at the prices of one table."""

from __future__ import annotations

from typing import Any

import pytest

from imagemill_app.aggregate.bill import LAST_REQUESTS, MACHINE_REQUESTS, bill_of
from imagemill_app.ingest.spent import Spent
from imagemill_app.tally.tally import Tally
from imagemill_contract.keys import stages_of
from imagemill_contract.recipe import Recipe
from imagemill_contract.reporting.lambda_usage import LambdaUsage
from imagemill_contract.reporting.prices import prices_of
from imagemill_contract.reporting.usage import Usage, added

JOB = {"get": 1000, "put": 1000, "list": 2}
PLANNING = LambdaUsage(1, 4.0, {"get": 3, "list": 5, "put": 10})
OWN = LambdaUsage(1, 6.0, {"get": 30, "put": 2})


def run(**fields: Any) -> dict[str, Any]:
    return {
        "run_id": "run-1",
        "output": "s3://out/",
        "recipe": {},
        "objects": 1000,
        "refused": 1,
        "bytes": 670_000_000,
        "shards": 2,
        "done": {"unchanged": 4},
        "ignored": {"hidden": 5},
        "estimate": {"total_dollars": 0.02},
        "planning": PLANNING.to_document(),
        **fields,
    }


def tally() -> Tally:
    found = Tally.begun("run-1", stages_of(Recipe()))
    for stage in stages_of(Recipe()):
        used = Usage(1, 1800.0, 1800.0, 1500.0, 10, JOB, 1000.0, 2800.0)
        found.add_job(stage, "00000", used, 1000)
    found.functions = LambdaUsage(2, 1.0, {"get": 7})
    return found


def test_requests_are_those_of_jobs_functions_and_the_state_machine() -> None:
    used = bill_of(run(), tally(), OWN)["used"]
    functions = added(PLANNING.requests, OWN.requests, {"get": 7}, LAST_REQUESTS)
    assert used["requests_of"]["jobs"] == added(JOB, JOB)
    assert used["requests_of"]["functions"] == functions
    assert used["requests"] == added(JOB, JOB, functions, MACHINE_REQUESTS)
    assert (used["vcpu_seconds"], used["lambda_gb_seconds"]) == (3600, 11)
    assert (used["lambda_requests"], used["sqs_requests"]) == (4, 0)


def test_dollars_are_what_was_used_times_its_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    bill, prices = bill_of(run(), tally(), OWN), prices_of()
    requests = bill["used"]["requests"]
    assert bill["dollars"]["vcpu"] == pytest.approx(prices.vcpu_hour, abs=1e-6)
    assert bill["dollars"]["put"] == pytest.approx(requests["put"] * 5e-6, abs=1e-6)
    assert bill["dollars"]["get"] == pytest.approx(requests["get"] * 4e-7, abs=1e-6)
    assert bill["total_dollars"] == pytest.approx(sum(bill["dollars"].values()), abs=1e-6)
    assert bill["per_million_dollars"] == pytest.approx(1000 * bill["total_dollars"], abs=0.01)
    assert bill["estimated_dollars"] == 0.02
    assert bill["prices"] == {
        "region": "us-east-1",
        "as_of": "2026-11",
        "run_in": "eu-west-1",
    }


def test_an_upload_run_pays_for_its_messages_and_for_what_gathers_them() -> None:
    spent = Spent(1010, LambdaUsage(3, 2.5, {"get": 3, "put": 3}))
    used = bill_of(run(gathering=spent.to_document()), tally(), OWN)["used"]
    without = bill_of(run(), tally(), OWN)["used"]
    assert used["sqs_requests"] == 1212
    assert used["lambda_requests"] == without["lambda_requests"] + 3
    assert used["lambda_gb_seconds"] == without["lambda_gb_seconds"] + 2.5
    assert used["requests"]["put"] == without["requests"]["put"] + 3


@pytest.mark.parametrize(("output", "is_packed"), [("files", False), ("webdataset", True)])
def test_the_bill_says_what_packing_saves(output: str, is_packed: bool) -> None:
    packing = bill_of(run(recipe={"output": output}), tally(), OWN)["packing"]
    assert packing["is_packed"] is is_packed
    assert packing["saving_dollars"] > 0.5 * packing["files_dollars"]


def test_a_run_in_folders_that_has_nothing_to_do_pays_for_no_request() -> None:
    nothing = run(output="file:///out/", shards=0, objects=0, bytes=0, planning={})
    bill = bill_of(nothing, Tally.begun("run-1", stages_of(Recipe())), LambdaUsage(1, 1.0))
    assert bill["used"]["requests"] == {}
    assert bill["total_dollars"] < 0.001
