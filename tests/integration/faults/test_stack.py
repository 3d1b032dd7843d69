"""The whole stack over an S3 that fails now and then, and signatures that the engine checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from obstore.store import S3Store

from imagemill.execution import Execution, start_run
from imagemill_contract.keys import report_key
from imagemill_contract.reporting.run_report import decode_report
from imagemill_contract.reporting.usage import added
from tests.helpers.faults.kinds import LoseAnswer, Reset, Throttle
from tests.helpers.faults.requests import WRITES, Operation
from tests.helpers.photographs import cut
from tests.helpers.priced import priced
from tests.helpers.proxied_stack import ProxiedStack, proxied_stack
from tests.helpers.runs import executions
from tests.helpers.s3_jobs import client_of
from tests.helpers.waiting import until

pytestmark = pytest.mark.engine

PICTURES = 5


@pytest.fixture(scope="module")
def proxied() -> Iterator[ProxiedStack]:
    with proxied_stack(seed=7) as running:
        yield running
        assert running.proxy.upstream_errors == []


@pytest.fixture(autouse=True)
def _unharmed(proxied: ProxiedStack) -> Iterator[None]:
    yield
    proxied.proxy.remove()


@pytest.fixture(scope="module")
def credentials(proxied: ProxiedStack) -> dict[str, str]:
    """Those of a user, whose signatures the engine checks, as it does not root's."""
    iam = proxied.stack.client("iam")
    iam.create_user(UserName="reader")
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="all", PolicyDocument=document)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def pictures(folder: str) -> list[str]:
    """Keys whose names are new to the output: what is done already would be left out."""
    return [f"{folder}/{folder} {index}.jpg" for index in range(PICTURES)]


def ended(proxied: ProxiedStack, folder: str, **recipe: str) -> Execution:
    """A run over the pictures of a folder, after its end."""
    stack = proxied.stack
    for index, key in enumerate(pictures(folder)):
        stack.client("s3").put_object(Bucket=stack.input_bucket, Key=key, Body=cut(index))
    document = {"source": f"s3://{stack.input_bucket}/{folder}/", "recipe": recipe}
    run = start_run(stack.client("stepfunctions"), stack.state_machine_arn, document)
    until(lambda: not run.is_running(), "the run has ended")
    return run


def written(run: Execution) -> list[int]:
    return [counts["written"] for counts in run.result()["stages"].values()]


def test_jobs_and_handlers_reach_s3_through_the_proxy(proxied: ProxiedStack) -> None:
    run = ended(proxied, "plain")
    assert written(run) == [PICTURES, PICTURES]
    asked = {(record.operation, record.key) for record in proxied.proxy.records}
    folder = f"runs/{run.run_id}"
    assert (Operation.PUT, f"{folder}/plan.json") in asked  # of PlanRun
    assert (Operation.GET, "plain/plain 0.jpg") in asked  # of a job
    assert (Operation.PUT, "resized/plain 0.jpg") in asked
    assert (Operation.PUT, f"{folder}/report.json") in asked  # of AggregateRun


def test_run_succeeds_when_every_first_read_and_every_third_write_breaks_off(
    proxied: ProxiedStack,
) -> None:
    read = Reset(operations={Operation.GET, Operation.LIST}, first=1, each_key=True)
    rules = [proxied.proxy.add(read), proxied.proxy.add(LoseAnswer(every=3))]
    assert written(ended(proxied, "broken off")) == [PICTURES, PICTURES]
    assert all(rule.count >= 3 for rule in rules)
    assert rules[0].keys >= set(pictures("broken off"))


def test_run_succeeds_when_s3_asks_for_less_at_first(proxied: ProxiedStack) -> None:
    rules = [
        proxied.proxy.add(Throttle(operations={Operation.LIST}, seconds=0.5)),
        proxied.proxy.add(Throttle(prefix="throttled/", seconds=0.5)),
        proxied.proxy.add(Throttle(operations=WRITES, probability=0.2)),
    ]
    assert written(ended(proxied, "throttled")) == [PICTURES, PICTURES]
    assert rules[0].count
    assert rules[1].count >= PICTURES


def test_engine_accepts_what_was_signed_for_the_proxy_and_nothing_else(
    proxied: ProxiedStack, credentials: dict[str, str]
) -> None:
    bucket, key = proxied.stack.input_bucket, "elsewhere/a b+ü&c.txt"
    boto = client_of(proxied.proxy.endpoint_url, credentials)
    boto.put_object(Bucket=bucket, Key=key, Body=b"by boto3")
    obstore = store(proxied, bucket, credentials)
    assert bytes(obstore.get(key).bytes()) == b"by boto3"
    obstore.put(key, b"by obstore")
    assert boto.get_object(Bucket=bucket, Key=key)["Body"].read() == b"by obstore"
    wrong = {**credentials, "AWS_SECRET_ACCESS_KEY": "wrong"}
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client_of(proxied.proxy.endpoint_url, wrong).get_object(Bucket=bucket, Key=key)


def store(proxied: ProxiedStack, bucket: str, credentials: dict[str, str]) -> Any:
    return S3Store(
        bucket,
        endpoint=proxied.proxy.endpoint_url,
        region=proxied.stack.engine.region,
        access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        client_options={"allow_http": True},
    )


def bill_of(proxied: ProxiedStack, run: Execution) -> dict[str, Any]:
    client, bucket = proxied.stack.client("s3"), proxied.stack.output_bucket
    body = client.get_object(Bucket=bucket, Key=report_key(run.run_id))["Body"].read()
    bill: dict[str, Any] = decode_report(body)["bill"]
    assert bill["total_dollars"] == pytest.approx(sum(bill["dollars"].values()), abs=1e-5)
    return bill


def billed(bill: dict[str, Any]) -> dict[str, int]:
    """All requests but the few of the state machine, which pass no proxy."""
    return added(bill["used"]["requests_of"]["jobs"], bill["used"]["requests_of"]["functions"])


@pytest.mark.parametrize("output", ["files", "parquet", "tfrecord", "webdataset"])
def test_the_bill_counts_the_requests_that_s3_sees(proxied: ProxiedStack, output: str) -> None:
    proxied.proxy.records.clear()
    run = ended(proxied, f"billed {output}", output=output)
    seen = priced(proxied.proxy)
    assert billed(bill_of(proxied, run)) == pytest.approx(seen, rel=0.01)


def test_the_bill_of_uploads_counts_what_gathers_them(proxied: ProxiedStack) -> None:
    stack = proxied.stack
    proxied.proxy.records.clear()
    for index in range(PICTURES):
        key = f"full/billed {index}.jpg"
        stack.client("s3").put_object(Bucket=stack.input_bucket, Key=key, Body=cut(index))

    def uploaded() -> list[Execution]:
        found = [run for name, run in executions(stack).items() if name.startswith("upload-")]
        is_over = found and not any(run.is_running() for run in found)
        counts = [run.result()["stages"]["edge"]["written"] for run in found] if is_over else []
        return found if sum(counts) == PICTURES else []

    bills = [bill_of(proxied, run) for run in until(uploaded, "all uploads are done")]
    seen = priced(proxied.proxy)
    assert added(*map(billed, bills)) == pytest.approx(seen, rel=0.01)
    assert sum(bill["used"]["sqs_requests"] for bill in bills) >= 1.2 * PICTURES
