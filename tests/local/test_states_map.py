"""The distributed Map: its reader, its children, its tolerance and its writer."""

import gzip
import json
from typing import Any

import pytest

from imagemill.local.deploy import Stack
from imagemill.local.engine import Engine

PASS = {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}


@pytest.fixture
def put(engine: Engine, stack: Stack) -> Any:
    def put_items(key: str, body: bytes) -> str:
        engine.client("s3").put_object(
            Bucket=stack.outputs["OutputBucketName"], Key=f"items/{key}", Body=body
        )
        return f"items/{key}"

    return put_items


@pytest.fixture
def get(engine: Engine, stack: Stack) -> Any:
    def get_document(key: str) -> Any:
        bucket = stack.outputs["OutputBucketName"]
        return json.loads(engine.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    return get_document


def each(bucket: str, key: str, kind: str = "JSON", **members: Any) -> dict[str, Any]:
    """A machine with one distributed Map over a document."""
    state = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": kind},
            "Arguments": {"Bucket": bucket, "Key": key},
        },
        "ItemProcessor": {**DISTRIBUTED, **members.pop("processor", PASS)},
        "End": True,
        **members,
    }
    return {"QueryLanguage": "JSONata", "StartAt": "Each", "States": {"Each": state}}


# ------------------------------------------------------------------ the machine of the stack


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


# ------------------------------------------------------------------ fields of the state


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("JSON", b'[{"n": 1}, {"n": 2}]'),
        ("JSONL", b'{"n": 1}\n{"n": 2}\n'),
        ("JSONL", gzip.compress(b'{"n": 1}\n{"n": 2}\n')),
        ("CSV", b"n\n1\n2\n"),
    ],
    ids=["JSON", "JSONL", "JSONL.gz", "CSV"],
)
def test_the_reader_reads(map_machines: Any, stack: Stack, put: Any, kind: str, body: bytes):
    key = put("kinds", body)
    config = {"InputType": kind} | ({"CSVHeaderLocation": "FIRST_ROW"} if kind == "CSV" else {})
    definition = each(stack.outputs["OutputBucketName"], key, kind)
    definition["States"]["Each"]["ItemReader"]["ReaderConfig"] = config
    end = map_machines.run(definition)
    assert [str(item["n"]) for item in end["result"]] == ["1", "2"]


def test_items_may_come_from_an_expression(map_machines: Any):
    state = {
        "Type": "Map",
        "Items": "{% $states.input.items %}",
        "ItemSelector": {"twice": "{% $states.context.Map.Item.Value * 2 %}"},
        "ItemProcessor": {**DISTRIBUTED, **PASS},
        "Output": "{% $sum($states.result.twice) %}",
        "Assign": {"results": "{% $count($states.result) %}"},
        "Next": "Count",
    }
    count = {"Type": "Succeed", "Output": {"sum": "{% $states.input %}", "n": "{% $results %}"}}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Each",
        "States": {"Each": state, "Count": count},
    }
    assert map_machines.run(definition, {"items": [1, 2, 3]})["result"] == {"sum": 12, "n": 3}


def test_a_missing_document_fails_the_reader_by_name(map_machines: Any, stack: Stack):
    end = map_machines.run(each(stack.outputs["OutputBucketName"], "items/none.json"))
    assert end["error"] == "States.ItemReaderFailed"
    assert "items/none.json" in end["cause"]


def test_the_reader_has_the_rights_of_the_role_and_no_more(
    map_machines: Any, stack: Stack, engine: Engine
):
    bucket = stack.outputs["OutputBucketName"]
    engine.client("s3").put_object(Bucket=bucket, Key="secret.json", Body=b"[1]")
    end = map_machines.run(each(bucket, "secret.json"))
    assert end["error"] == "States.ItemReaderFailed"
    assert "AccessDenied" in end["cause"]


def test_the_writer_has_the_rights_of_the_role_and_no_more(
    map_machines: Any, stack: Stack, put: Any
):
    bucket = stack.outputs["OutputBucketName"]
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Arguments": {"Bucket": bucket, "Prefix": "elsewhere"},
    }
    end = map_machines.run(each(bucket, put("six.json", b"[1]"), ResultWriter=writer))
    assert end["error"] == "States.ResultWriterFailed"
    assert "AccessDenied" in end["cause"]


def test_results_may_be_compact_and_in_lines(
    map_machines: Any, stack: Stack, put: Any, engine: Engine
):
    bucket = stack.outputs["OutputBucketName"]
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Arguments": {"Bucket": bucket, "Prefix": "map/lines"},
        "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"},
    }
    end = map_machines.run(each(bucket, put("seven.json", b'[{"n":1}]'), ResultWriter=writer))
    key = end["result"]["ResultWriterDetails"]["Key"].replace("manifest.json", "SUCCEEDED_0.jsonl")
    body = engine.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert body == b'{"n": 1}\n'


def test_no_more_children_run_than_allowed(
    map_machines: Any, stack: Stack, put: Any, engine: Engine
):
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}
    limit = "{% $states.input.limit %}"
    key = put("eight.json", b"[1, 2, 3, 4]")
    definition = each(stack.outputs["OutputBucketName"], key, processor=wait, MaxConcurrency=limit)
    end = map_machines.run(definition, {"limit": 2})
    seconds = (end["stopDate"] - end["startDate"]).total_seconds()
    assert 2 <= seconds < 3.5


@pytest.mark.parametrize("field", ["MaxConcurrency", "ToleratedFailurePercentage"])
def test_a_number_in_quotes_is_refused(map_machines: Any, stack: Stack, put: Any, field: str):
    """AWS refuses such a definition; a substitution has to stand without quotes."""
    key = put("nine.json", b"[1]")
    end = map_machines.run(each(stack.outputs["OutputBucketName"], key, **{field: "20"}))
    assert (end["status"], end["error"]) == ("FAILED", "States.Runtime")
    assert field in end["cause"]


def test_a_child_does_not_see_the_variables_of_its_parent(
    map_machines: Any, stack: Stack, put: Any
):
    use = {"Type": "Pass", "Output": "{% $exists($outer) %}", "End": True}
    definition = each(
        stack.outputs["OutputBucketName"],
        put("ten.json", b"[1]"),
        processor={"StartAt": "Use", "States": {"Use": use}},
    )
    assign = {"Type": "Pass", "Assign": {"outer": 1}, "Next": "Each"}
    definition["States"]["Before"] = assign
    definition["StartAt"] = "Before"
    assert map_machines.run(definition)["result"] == [False]


def test_batched_items_come_together(map_machines: Any, stack: Stack, put: Any):
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"name": "{% $states.input.name %}"}}
    definition = each(
        stack.outputs["OutputBucketName"], put("eleven.json", b"[1, 2, 3]"), ItemBatcher=batcher
    )
    assert map_machines.run(definition, {"name": "x"})["result"] == [
        {"BatchInput": {"name": "x"}, "Items": [1, 2]},
        {"BatchInput": {"name": "x"}, "Items": [3]},
    ]
