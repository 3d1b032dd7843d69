"""Events that a state machine sends."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from imagemill_engine.engine import Engine
from tests.helpers.waiting import until


def announcing(source: str) -> dict[str, Any]:
    """A machine that sends one event of a source."""
    entry = {"Source": source, "DetailType": "Told", "Detail": {"n": "{% $states.input.n %}"}}
    tell = {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents",
        "Arguments": {"Entries": [entry]},
        "End": True,
    }
    return {"QueryLanguage": "JSONata", "StartAt": "Tell", "States": {"Tell": tell}}


@pytest.fixture
def role(engine: Engine) -> str:
    """A role that may send events of the source `known` alone."""
    iam, name = engine.client("iam"), f"tell-{uuid4().hex[:8]}"
    states = {"Service": "states.amazonaws.com"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": states, "Action": "sts:AssumeRole"}]}
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"][
        "Arn"
    ]
    allowed = {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": "arn:aws:events:us-east-1:000000000000:event-bus/default",
        "Condition": {"StringEquals": {"events:source": "known"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="tell", PolicyDocument=document)
    return arn


def test_an_event_names_its_execution_and_state_machine(machines: Any, role: str, engine: Engine):
    sqs, events = engine.client("sqs"), engine.client("events")
    url = sqs.create_queue(QueueName="told")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name="told", EventPattern=json.dumps({"source": ["known"]}))
    events.put_targets(Rule="told", Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])

    end = machines.run(announcing("known"), {"n": 7}, role_arn=role)

    assert end["status"] == "SUCCEEDED", end
    bodies: list[str] = []

    def is_there() -> bool:
        answer = sqs.receive_message(QueueUrl=url)
        bodies.extend(message["Body"] for message in answer.get("Messages", ()))
        return bool(bodies)

    until(is_there, "the event has come")
    event = json.loads(bodies[0])
    assert event["detail"] == {"n": 7}
    assert event["resources"] == [end["executionArn"], end["stateMachineArn"]]


def test_an_event_of_a_source_that_the_role_may_not_name_is_not_sent(machines: Any, role: str):
    end = machines.run(announcing("other"), {"n": 7}, role_arn=role)
    assert end["status"] == "FAILED"
    assert "events:PutEvents" in end["cause"]
