"""ResultWriter: the outcomes of a Map run's children, as documents in S3.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

import json
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError
from ministack.services import stepfunctions as states

from imagemill_engine.hooks.callback import role_client

Execution = dict[str, Any]
FAILED = "States.ResultWriterFailed"
# Never compacted or flattened: their output is not what the state machine meant to write.
UNSUCCESSFUL = {"FAILED": ("FAILED", "TIMED_OUT", "ABORTED"), "PENDING": ("RUNNING", "PENDING")}


def write_results(
    map_run_arn: str,
    children: Sequence[Execution],
    writer: dict[str, Any],
    role_arn: str,
) -> dict[str, str]:
    """Write manifest.json and the files that it names; returns where the manifest is."""
    arguments = writer.get("Arguments") or writer.get("Parameters") or {}
    bucket = arguments["Bucket"]
    prefix = arguments.get("Prefix", "").rstrip("/")
    folder = "/".join(filter(None, (prefix, map_run_arn.rsplit(":", 1)[-1])))
    config = writer.get("WriterConfig") or {}
    client = role_client("s3", role_arn)
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    try:
        for group, rows in _rows(children, config.get("Transformation", "NONE")).items():
            if not rows:
                continue
            lines = config.get("OutputType") == "JSONL"
            key = f"{folder}/{group}_0.{'jsonl' if lines else 'json'}"
            body = _document(rows, lines=lines)
            client.put_object(Bucket=bucket, Key=key, Body=body)
            files[group].append({"Key": key, "Size": len(body)})
        manifest = {"DestinationBucket": bucket, "MapRunArn": map_run_arn, "ResultFiles": files}
        key = f"{folder}/manifest.json"
        client.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest).encode())
    except ClientError as error:
        raise states._ExecutionError(FAILED, f"s3://{bucket}/{folder}: {error}") from error
    return {"Bucket": bucket, "Key": key}


def _document(rows: Sequence[Any], *, lines: bool) -> bytes:
    if lines:
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    return json.dumps(list(rows)).encode()


def _rows(children: Sequence[Execution], transformation: str) -> dict[str, list[Any]]:
    succeeded = [child for child in children if child["status"] == "SUCCEEDED"]
    rows: dict[str, list[Any]] = {
        group: [_details(child) for child in children if child["status"] in statuses]
        for group, statuses in UNSUCCESSFUL.items()
    }
    if transformation == "NONE":
        rows["SUCCEEDED"] = [_details(child) for child in succeeded]
        return rows
    outputs = [json.loads(child["output"]) for child in succeeded]
    if transformation == "FLATTEN":
        outputs = [
            row for output in outputs for row in (output if isinstance(output, list) else [output])
        ]
    rows["SUCCEEDED"] = outputs
    return rows


def _details(child: Execution) -> dict[str, Any]:
    row = {
        "ExecutionArn": child["executionArn"],
        "Input": child["input"],
        "InputDetails": {"Included": True},
        "Name": child["name"],
        "RedriveCount": 0,
        "StartDate": child["startDate"],
        "StateMachineArn": child["stateMachineArn"],
        "Status": child["status"],
    }
    if child.get("stopDate"):
        row["StopDate"] = child["stopDate"]
    if child["status"] == "SUCCEEDED":
        row |= {"Output": child["output"], "OutputDetails": {"Included": True}}
    for member, name in (("Error", "error"), ("Cause", "cause")):
        if child.get(name):
            row[member] = child[name]
    return row
