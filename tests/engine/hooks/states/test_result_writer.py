"""What a Map run leaves in S3."""

from __future__ import annotations

import json
from typing import Any

from imagemill_engine.deploy import Stack


def test_outcomes_are_written_apart_and_the_manifest_names_them(
    map_machines: Any, stack: Stack, put: Any, get: Any
):
    items = [{"name": script[-1], "script": script} for script in ("exit 0", "exit 4")]
    given = {"key": put("two.json", json.dumps(items).encode())}
    end = map_machines.end(map_machines.start_machine(stack.outputs["StateMachineArn"], given))
    assert end["status"] == "SUCCEEDED", end.get("cause")

    manifest = get(end["result"]["manifest"])
    assert manifest["DestinationBucket"] == stack.outputs["OutputBucketName"]
    files = manifest["ResultFiles"]
    assert files["PENDING"] == []
    folder = end["result"]["manifest"].removesuffix("manifest.json")
    [written] = files["SUCCEEDED"]
    assert written["Key"] == f"{folder}SUCCEEDED_0.json"
    [good] = get(written["Key"])
    assert json.loads(good["Input"]) == items[0]
    assert json.loads(good["Output"]) == {"name": "0", "exit_code": 0}
    assert ":execution:" in good["ExecutionArn"]

    [bad] = get(files["FAILED"][0]["Key"])
    assert json.loads(bad["Input"]) == items[1]
    assert (bad["Status"], bad["Error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(bad["Cause"])["Container"]["ExitCode"] == 4
    assert "Output" not in bad


def test_without_children_the_manifest_names_no_file(
    map_machines: Any, map_machine: Any, stack: Stack, put: Any, get: Any
):
    bucket = stack.outputs["OutputBucketName"]
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Arguments": {"Bucket": bucket, "Prefix": "map/none/"},
    }
    end = map_machines.run(map_machine(bucket, put("none.json", b"[]"), ResultWriter=writer))
    manifest = get(end["result"]["ResultWriterDetails"]["Key"])
    assert manifest["ResultFiles"] == {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
