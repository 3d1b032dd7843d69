"""The fields of a distributed Map: where items come from and where results go."""

import gzip
from typing import Any

import pytest

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine

PASS = {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}


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


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("JSON", b'[{"n": 1}, {"n": 2}]'),
        ("JSONL", b'{"n": 1}\n{"n": 2}\n'),
        ("JSONL", gzip.compress(b'{"n": 1}\n{"n": 2}\n', mtime=0)),
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
