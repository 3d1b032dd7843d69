"""ResultWriter: what became of each child of a Map run, as documents in S3.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ministack.services import stepfunctions as states

from imagemill_engine.hooks.clients import CallError, put_object
from imagemill_engine.hooks.states.roles import Need, require_right
from imagemill_engine.shapes import Document


def written_results(
    map_run_arn: str, children: Sequence[Document], arguments: Document, role_arn: str
) -> dict[str, str]:
    """Write manifest.json and the files that it names; returns where the manifest is."""
    bucket, prefix = arguments["Bucket"], arguments["Prefix"].rstrip("/")
    folder = f"{prefix}/{map_run_arn.rsplit(':', 1)[-1]}"
    written = Need("s3:PutObject", f"arn:aws:s3:::{bucket}/{folder}/*", "States.ResultWriterFailed")
    require_right(role_arn, written)
    rows = [row_of(child) for child in children]
    groups = {
        "FAILED": [row for row in rows if row["Status"] != "SUCCEEDED"],
        "PENDING": [],  # every child has ended
        "SUCCEEDED": [row for row in rows if row["Status"] == "SUCCEEDED"],
    }
    files: dict[str, list[Document]] = {group: [] for group in groups}
    try:
        for group in filter(groups.get, groups):
            key, body = f"{folder}/{group}_0.json", json.dumps(groups[group]).encode()
            put_object(bucket, key, body)
            files[group].append({"Key": key, "Size": len(body)})
        manifest = {"DestinationBucket": bucket, "MapRunArn": map_run_arn, "ResultFiles": files}
        key = f"{folder}/manifest.json"
        put_object(bucket, key, json.dumps(manifest).encode())
    except CallError as error:
        cause = f"s3://{bucket}/{folder}: {error}"
        raise states._ExecutionError("States.ResultWriterFailed", cause) from error
    return {"Bucket": bucket, "Key": key}


def row_of(child: Document) -> Document:
    """A child execution, as the files of results list it."""
    row = {
        "ExecutionArn": child["executionArn"],
        "Input": child["input"],
        "InputDetails": {"Included": True},
        "Name": child["name"],
        "RedriveCount": 0,
        "StartDate": child["startDate"],
        "StateMachineArn": child["stateMachineArn"],
        "Status": child["status"],
        "StopDate": child["stopDate"],
    }
    if child["status"] == "SUCCEEDED":
        row |= {"Output": child["output"], "OutputDetails": {"Included": True}}
    names = {"Error": "error", "Cause": "cause"}  # neither, when a child was stopped
    return row | {member: child[name] for member, name in names.items() if child.get(name)}
