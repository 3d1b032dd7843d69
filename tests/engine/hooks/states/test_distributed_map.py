"""The distributed Map of the fixture's machine: children, tolerance, results, history, stop."""

import json
from typing import Any

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine


def test_the_machine_of_the_stack_runs_a_job_for_each_item_and_writes_the_results(
    map_machines: Any, stack: Stack, put: Any, get: Any
):
    key = put("one.json", json.dumps([{"script": "exit 0"}, {"script": "true"}]).encode())
    given = {"key": key, "type": "JSON", "tolerated": 0}
    end = map_machines.end(map_machines.start_machine(stack.outputs["StateMachineArn"], given))
    assert end["status"] == "SUCCEEDED", end.get("cause")
    assert end["result"]["greeting"] == "hello"
    manifest = get(end["result"]["manifest"])
    assert manifest["DestinationBucket"] == stack.outputs["OutputBucketName"]
    assert manifest["ResultFiles"]["FAILED"] == manifest["ResultFiles"]["PENDING"] == []
    [written] = manifest["ResultFiles"]["SUCCEEDED"]
    assert written["Key"].startswith(f"map/{end['name']}/")
    assert written["Key"].endswith("/SUCCEEDED_0.json")
    rows = get(written["Key"])
    assert sorted(json.loads(row["Output"])["index"] for row in rows) == [0, 1]
    assert {json.loads(row["Output"])["exit_code"] for row in rows} == {0}
    assert {row["Status"] for row in rows} == {"SUCCEEDED"}
    assert all(":execution:" in row["ExecutionArn"] for row in rows)


def test_tolerated_failures_are_written_apart(map_machines: Any, stack: Stack, put: Any, get: Any):
    lines = [json.dumps({"script": script}) for script in ("exit 0", "exit 4")]
    key = put("two.jsonl", "\n".join(lines).encode())
    given = {"key": key, "type": "JSONL", "tolerated": 50}
    end = map_machines.end(map_machines.start_machine(stack.outputs["StateMachineArn"], given))
    assert end["status"] == "SUCCEEDED", end.get("cause")
    files = get(end["result"]["manifest"])["ResultFiles"]
    assert len(files["SUCCEEDED"]) == 1
    [failed] = get(files["FAILED"][0]["Key"])
    assert (failed["Status"], failed["Error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(failed["Cause"])["Container"]["ExitCode"] == 4
    assert "Output" not in failed


def test_too_many_failures_fail_the_map_and_stop_the_children_that_run(
    map_machines: Any, stack: Stack, put: Any, jobs: Any, engine: Engine
):
    scripts = [{"script": "exit 4"}, {"script": "exec sleep 30"}, {"script": "exec sleep 30"}]
    key = put("three.json", json.dumps(scripts).encode())
    given = {"key": key, "type": "JSON", "tolerated": 20}
    arn = map_machines.start_machine(stack.outputs["StateMachineArn"], given)
    end = map_machines.end(arn)
    assert (end["status"], end["error"]) == (
        "FAILED",
        "States.ExceedToleratedFailureThreshold",
    )
    queue = stack.outputs["JobQueueArn"]
    assert jobs.batch.list_jobs(jobQueue=queue)["jobSummaryList"] == []
    states = engine.client("stepfunctions")
    run = states.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]
    counts = states.describe_map_run(mapRunArn=run)["executionCounts"]
    assert (counts["failed"], counts["aborted"], counts["running"]) == (1, 2, 0)


def test_stopping_the_parent_stops_the_children_and_their_jobs(
    map_machines: Any, stack: Stack, put: Any, jobs: Any, engine: Engine, until: Any
):
    key = put("four.json", json.dumps([{"script": "exec sleep 30"}] * 6).encode())
    given = {"key": key, "type": "JSON", "tolerated": 100}
    arn = map_machines.start_machine(stack.outputs["StateMachineArn"], given)
    queue = stack.outputs["JobQueueArn"]
    running = until(
        lambda: [
            job["jobId"]
            for job in jobs.batch.list_jobs(jobQueue=queue)["jobSummaryList"]
            if job["jobName"].startswith("item-")
        ][1:]
    )
    map_machines.states.stop_execution(executionArn=arn, cause="the user left")
    for job_id in running:
        assert jobs.end(job_id)["statusReason"] == "the user left"
    assert map_machines.end(arn)["status"] == "ABORTED"
    states = engine.client("stepfunctions")
    run = states.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]
    until(lambda: states.describe_map_run(mapRunArn=run)["status"] == "ABORTED")
    children = states.list_executions(mapRunArn=run)["executions"]
    # MaxConcurrency 3: the others were never started
    assert [child["status"] for child in children] == ["ABORTED"] * 3
    for status in ("RUNNING", "RUNNABLE"):
        assert not jobs.batch.list_jobs(jobQueue=queue, jobStatus=status)["jobSummaryList"]


def test_the_history_of_parent_and_child_tells_what_happened(
    map_machines: Any, stack: Stack, put: Any, engine: Engine
):
    key = put("five.json", json.dumps([{"script": "true"}]).encode())
    given = {"key": key, "type": "JSON", "tolerated": 0}
    arn = map_machines.start_machine(stack.outputs["StateMachineArn"], given)
    map_machines.end(arn)
    events = map_machines.events(arn)
    assert [event["type"] for event in events[:6]] == [
        "ExecutionStarted",
        "MapStateEntered",
        "MapStateStarted",
        "MapRunStarted",
        "MapRunSucceeded",
        "MapStateExited",
    ]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    states = engine.client("stepfunctions")
    run = events[3]["mapRunStartedEventDetails"]["mapRunArn"]
    [child] = states.list_executions(mapRunArn=run)["executions"]
    assert ":Items/" in child["stateMachineArn"].replace("/Items", ":Items/")
    described = states.describe_execution(executionArn=child["executionArn"])
    assert json.loads(described["input"]) == {"script": "true", "index": 0}
    assert [event["type"] for event in map_machines.events(child["executionArn"])] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
