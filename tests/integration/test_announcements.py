"""The end of a run is told: by an event, by mail, by metrics in logs, and on the dashboard."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imagemill.errors import UsageError
from imagemill.local_stack import LocalStack, deployed_on
from imagemill_engine.engine import Engine
from tests.helpers.photographs import cut
from tests.helpers.runs import ended, resource_id, start
from tests.helpers.stack_template import ROOT
from tests.helpers.waiting import until

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def mailed(engine: Engine) -> LocalStack:
    return deployed_on(engine, {"MailAddress": "somebody@example.com"}, "mailed")


@pytest.fixture(scope="module")
def mails(mailed: LocalStack) -> Callable[[str], str]:
    """Waits for the mail about a run; takes mails from a queue that has subscribed to the topic."""
    sqs, sns = mailed.client("sqs"), mailed.client("sns")
    url = sqs.create_queue(QueueName="mails")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    from_topics = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": attributes["QueueArn"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [from_topics]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(
        TopicArn=resource_id(mailed, "RunTopic"),
        Protocol="sqs",
        Endpoint=attributes["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    found: list[str] = []

    def mail_about(run_id: str) -> str:
        def is_there() -> bool:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            found.extend(message["Body"] for message in answer.get("Messages", ()))
            return any(run_id in text for text in found)

        until(is_there, "the mail has come")
        (text,) = [text for text in found if run_id in text]
        return text

    return mail_about


def log_lines(stack: LocalStack, group: str) -> Iterator[dict[str, Any]]:
    """The JSON lines in a log group of the stack."""
    pages = stack.client("logs").get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName=resource_id(stack, f"{group}LogGroup")):
        for event in page["events"]:
            if event["message"].startswith("{"):
                yield json.loads(event["message"])


def test_end_of_a_run_is_told_with_its_sentence_its_metrics_and_its_name_in_every_line(
    mailed: LocalStack, mails: Callable[[str], str]
) -> None:
    s3, bucket = mailed.client("s3"), mailed.input_bucket
    s3.put_object(Bucket=bucket, Key="told/a.jpg", Body=cut(0))
    s3.put_object(Bucket=bucket, Key="told/b.jpg", Body=b"no picture")

    run = start(mailed, {"source": f"s3://{bucket}/told/"})
    result = ended(run).result()

    text = mails(run.run_id)
    assert f"The run {run.run_id} has ended: succeeded." in text
    assert result["sentence"] in text
    assert result["report"] in text
    of_jobs = [line for line in log_lines(mailed, "Worker") if line.get("run_id") == run.run_id]
    metrics = {line["stage"]: line for line in of_jobs if line["event"] == "metrics"}
    assert (metrics["resize"]["Objects"], metrics["resize"]["Rejected"]) == (2, 1)
    (directive,) = metrics["resize"]["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("imagemill/mailed", [["stage"]])
    assert {item["Name"] for item in directive["Metrics"]} <= metrics["edge"].keys()
    for function in ("PlanRun", "AggregateRun"):
        lines = list(log_lines(mailed, function))
        said = [line for line in lines if "message" in line]
        assert {(line["run_id"], line["correlation_id"]) for line in said} == {
            (run.run_id, run.run_id)
        }
        assert any("ColdStart" in line for line in lines)
    assert {"reason": "not_an_image", "Problems": [1.0]}.items() <= _of("Problems", lines).items()


def _of(metric: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    (line,) = [line for line in lines if metric in line]
    return line


def test_run_that_is_refused_is_told_of_too(
    mailed: LocalStack, mails: Callable[[str], str]
) -> None:
    run = start(mailed, {"source": f"s3://{mailed.input_bucket}/nothing/"})
    with pytest.raises(UsageError, match="there are no pictures") as refused:
        ended(run).result()
    text = mails(run.run_id)
    assert ": refused." in text
    assert str(refused.value) in text


def test_dashboard_shows_metrics_that_there_are(mailed: LocalStack) -> None:
    name = resource_id(mailed, "Dashboard")
    body = mailed.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    widgets = json.loads(body)["widgets"]
    shown = [row for widget in widgets for row in widget["properties"].get("metrics", ())]
    ours = {row[1] for row in shown if row[0] == "imagemill/mailed"}
    folders = (ROOT / "functions", ROOT / "batch_worker" / "imagemill_worker")
    sources = "".join(path.read_text() for folder in folders for path in folder.glob("*.py"))
    assert ours
    assert all(f'"{metric}"' in sources for metric in ours)
    assert "${" not in body
    assert len({row[1] for row in shown if row[0] == "AWS/States"}) == 4
    searched = [row[0]["expression"] for row in shown if isinstance(row[0], dict)]
    assert all('{"imagemill/mailed",' in expression for expression in searched)
    places = {(widget["x"], widget["y"]) for widget in widgets}
    assert len(places) == len(widgets)
