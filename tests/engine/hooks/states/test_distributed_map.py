"""The distributed Map: reader, children, output."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine


def test_the_machine_of_the_stack_runs_a_job_for_each_item_and_tells_of_it(
    map_machines: Any, stack: Stack, put: Any, engine: Engine
):
    items = [{"name": name, "script": "true"} for name in ("one", "two")]
    given = {"key": put("one.json", json.dumps(items).encode())}
    arn = map_machines.start_machine(stack.outputs["StateMachineArn"], given)
    end = map_machines.end(arn)
    assert end["status"] == "SUCCEEDED", end.get("cause")
    assert end["result"]["greeting"] == "hello"
    assert end["result"]["manifest"].startswith(f"map/{end['name']}/")
    assert "MapRunSucceeded" in [event["type"] for event in map_machines.events(arn)]

    states = engine.client("stepfunctions")
    run = states.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]
    described = states.describe_map_run(mapRunArn=run)
    counts = described["executionCounts"]
    assert (described["status"], counts["succeeded"], counts["total"]) == ("SUCCEEDED", 2, 2)
    children = [
        states.describe_execution(executionArn=child["executionArn"])
        for child in states.list_executions(mapRunArn=run)["executions"]
    ]
    assert {child["stateMachineArn"].rsplit("/", 1)[-1] for child in children} == {"Items"}
    outputs = {
        json.loads(child["input"])["name"]: json.loads(child["output"]) for child in children
    }
    assert outputs == {name: {"name": name, "exit_code": 0} for name in ("one", "two")}


def test_a_missing_document_fails_the_reader_by_name(
    map_machines: Any, map_machine: Any, stack: Stack
):
    end = map_machines.run(map_machine(stack.outputs["OutputBucketName"], "items/none.json"))
    assert end["error"] == "States.ItemReaderFailed"
    assert "items/none.json" in end["cause"]


def test_output_and_assign_see_the_results_of_the_children(
    map_machines: Any, map_machine: Any, stack: Stack, put: Any
):
    definition = map_machine(
        stack.outputs["OutputBucketName"],
        put("sum.json", b"[1, 2, 3]"),
        Output="{% $sum($states.result) %}",
        Assign={"results": "{% $count($states.result) %}"},
        Next="Tell",
    )
    del definition["States"]["Each"]["End"]
    tell = {"Type": "Pass", "Output": "{% [$states.input, $results] %}", "End": True}
    definition["States"]["Tell"] = tell
    assert map_machines.run(definition)["result"] == [6, 3]


USE = {
    "StartAt": "Use",
    "States": {"Use": {"Type": "Pass", "Output": "{% $exists($outer) %}", "End": True}},
}


def test_a_child_does_not_see_the_variables_of_its_parent(
    map_machines: Any, map_machine: Any, stack: Stack, put: Any
):
    definition = map_machine(stack.outputs["OutputBucketName"], put("ten.json", b"[1]"), USE)
    definition["States"]["Before"] = {"Type": "Pass", "Assign": {"outer": 1}, "Next": "Each"}
    definition["StartAt"] = "Before"
    assert map_machines.run(definition)["result"] == [False]


def test_an_inline_map_does_see_the_variables(machines: Any):
    each = {"Type": "Map", "Items": [1], "ItemProcessor": USE, "End": True}
    before = {"Type": "Pass", "Assign": {"outer": 1}, "Next": "Each"}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Before",
        "States": {"Before": before, "Each": each},
    }
    assert machines.run(definition)["result"] == [True]


@pytest.mark.parametrize("wanted", [0, 1000])
def test_children_share_a_limited_number_of_threads(
    map_machines: Any, map_machine: Any, stack: Stack, put: Any, engine: Engine, wanted: int
):
    definition = map_machine(
        stack.outputs["OutputBucketName"], put("many.json", b"[1]"), MaxConcurrency=wanted
    )
    arn = map_machines.run(definition)["executionArn"]
    states = engine.client("stepfunctions")
    run = states.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]
    assert states.describe_map_run(mapRunArn=run)["maxConcurrency"] == 200


def test_what_the_engine_would_leave_out_is_refused(
    map_machines: Any, map_machine: Any, stack: Stack, put: Any
):
    definition = map_machine(
        stack.outputs["OutputBucketName"],
        put("batched.json", b"[1, 2, 3]"),
        ItemBatcher={"MaxItemsPerBatch": 2},
    )
    end = map_machines.run(definition)
    assert (end["status"], end["error"]) == ("FAILED", "States.Runtime")
    assert "does not support ItemBatcher" in end["cause"]
