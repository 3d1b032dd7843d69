"""A burst of uploads through the GroupObjects handler: seconds, memory, and runs started.

AWS Lambda passes on at most 6 MB of messages at once, about 3,500 events of S3, so 330,000 uploads
are some 95 invocations. Here they run one after the other in one process, like warm invocations,
with the embedded engine as S3 and Step Functions.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (".", "contract", "functions")
MESSAGES_PER_INVOCATION = 3_500
DUPLICATE_SHARE = 0.02  # delivered more than once


def event_body(number: int, bucket: str) -> str:
    """The notification of one upload, as long as real ones are."""
    name = f"{number * 2654435761 % 2**32:08x}" * 8
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-23T10:15:30.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLEEXAMPLE:uploader"},
        "requestParameters": {"sourceIPAddress": "192.0.2.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "F" * 76},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "NDFkODY3NzktNzg4YS00YTE0LTk5YzUt",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": {
                "key": f"full/{name}.jpg",
                "size": 670_000,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "sequencer": f"{number:018X}",
            },
        },
    }
    return json.dumps({"Records": [record]})


def message(number: int, bucket: str) -> dict[str, Any]:
    """The upload as AWS Lambda gets it from the queue."""
    return {
        "messageId": f"{number:08x}-19dd-4b1e-8e1a-4f2f1f6a1e0b",
        "receiptHandle": "AQEB" + "x" * 400,
        "body": event_body(number, bucket),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795436207316",
            "SenderId": "AIDAEXAMPLEEXAMPLE:S3-PROD-END",
            "ApproximateFirstReceiveTimestamp": "1795436207321",
        },
        "messageAttributes": {},
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:uploads",
        "awsRegion": "us-east-1",
    }


def handle_burst(uploads: int) -> None:
    """In the child process: invoke the handler over the burst and print measurements as JSON."""
    import group_objects

    from imagemill_app.ingest.inbox import sealed_uploads
    from imagemill_contract.requests.windows import Window

    class Context:
        function_name = "group_objects"
        memory_limit_in_mb = 512
        invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:group_objects"
        aws_request_id = "request"

    draw = random.Random(2017)
    bucket = os.environ["INPUT_BUCKET_NAME"]
    numbers = list(range(uploads))
    numbers += draw.choices(numbers, k=int(uploads * DUPLICATE_SHARE))
    draw.shuffle(numbers)
    seconds, windows, sizes = [], set(), []
    for first in range(0, len(numbers), MESSAGES_PER_INVOCATION):
        batch = numbers[first : first + MESSAGES_PER_INVOCATION]
        text = json.dumps({"Records": [message(number, bucket) for number in batch]})
        sizes.append(len(text))
        event = json.loads(text)
        began = time.monotonic()
        group_objects.lambda_handler(event, Context())
        seconds.append(time.monotonic() - began)
        windows.add(Window.at(datetime.now(UTC), int(os.environ["UPLOAD_WINDOW_SECONDS"])).name)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    gathered = [
        sealed_uploads(group_objects.inbox().bucket, Window.parse(name)) for name in windows
    ]
    found = [item for item in gathered if item]
    print(
        json.dumps(
            {
                "invocations": len(seconds),
                "payload_mb": max(sizes) / 1e6,
                "first": seconds[0],
                "median": statistics.median(seconds),
                "slowest": max(seconds),
                "peak_mib": peak,
                "windows": len(windows),
                "objects": sum(len(item.objects) for item in found),
                "duplicates": sum(item.duplicates for item in found),
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=330_000)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        handle_burst(options.uploads)
        return
    from imagemill.local_stack import local_stack

    # windows as on AWS: the runs are still waiting for their end when they are counted
    with local_stack(
        parameters={"UploadWindowSeconds": "60", "WindowGraceSeconds": "900"}
    ) as stack:
        environment = {
            **os.environ,
            "POWERTOOLS_METRICS_NAMESPACE": "benchmark",
            "PYTHONPATH": os.pathsep.join(str(ROOT / room) for room in ROOMS),
            "AWS_ENDPOINT_URL": stack.engine.endpoint_url,
            "AWS_REGION": stack.engine.region,
            "AWS_DEFAULT_REGION": stack.engine.region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "POWERTOOLS_TRACE_DISABLED": "true",
            "POWERTOOLS_LOG_LEVEL": "ERROR",
            "POWERTOOLS_METRICS_DISABLED": "true",
            "INPUT_BUCKET_NAME": stack.input_bucket,
            "OUTPUT_BUCKET_NAME": stack.output_bucket,
            "SOURCE_PREFIX": "full/",
            "STATE_MACHINE_ARN": stack.state_machine_arn,
            "UPLOAD_WINDOW_SECONDS": "60",
            "WINDOW_GRACE_SECONDS": "900",
        }
        command = [sys.executable, "-m", "benchmarks.upload_burst", "--child"]
        command += ["--uploads", str(options.uploads)]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        measured = json.loads(done.stdout.splitlines()[-1])
        states = stack.client("stepfunctions")
        runs = states.list_executions(stateMachineArn=stack.state_machine_arn)["executions"]
    print(f"{options.uploads:,} uploads, {DUPLICATE_SHARE:.0%} of them delivered twice\n")
    print("| | |\n|---|---|")
    print(f"| invocations | {measured['invocations']} |")
    print(f"| payload, MB | {measured['payload_mb']:.1f} |")
    print(
        f"| seconds: first, median, slowest | {measured['first']:.2f}, "
        f"{measured['median']:.2f}, {measured['slowest']:.2f} |"
    )
    print(f"| peak memory of the process, MiB | {measured['peak_mib']:.0f} |")
    print(f"| windows | {measured['windows']} |")
    print(f"| runs started | {len(runs)} |")
    print(f"| objects in their inboxes | {measured['objects']:,} |")
    print(f"| duplicates dropped | {measured['duplicates']:,} |")


if __name__ == "__main__":
    main()
