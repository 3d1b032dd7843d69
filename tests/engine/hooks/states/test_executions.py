"""On whose behalf a task runs."""

from __future__ import annotations

from typing import Any

from imagemill_engine.deploy import Stack


def test_a_child_has_the_role_of_its_parent(
    map_machines: Any, map_machine: Any, echo_machine: Any, stack: Stack, put: Any, get: Any
):
    allowed, forbidden = echo_machine({"a": 1}), echo_machine({"a": 1})
    other = stack.outputs["EchoFunctionArn"].replace("Echo", "NoteBatch")
    forbidden["States"]["Call"]["Arguments"]["FunctionName"] = other
    bucket, key = stack.outputs["OutputBucketName"], put("child.json", b"[1]")
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Arguments": {"Bucket": bucket, "Prefix": "map/child"},
    }

    def row_of(processor: dict[str, Any], status: str) -> dict[str, Any]:
        definition = map_machine(
            bucket, key, processor, ToleratedFailurePercentage=100, ResultWriter=writer
        )
        end = map_machines.run(definition)
        manifest = get(end["result"]["ResultWriterDetails"]["Key"])
        [written] = manifest["ResultFiles"][status]
        [row] = get(written["Key"])
        return dict(row)

    assert '"greeting": "hello"' in row_of(allowed, "SUCCEEDED")["Output"]
    row = row_of(forbidden, "FAILED")
    assert row["Error"] == "Lambda.AWSLambdaException"
    assert row["Cause"].startswith(f"{map_machines.role_arn} is not authorized to perform")
