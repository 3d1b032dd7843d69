"""The doctor on a stack of its own, which is well at first and then broken in several ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from imagemill.local_stack import LocalStack, deployed_on
from imagemill_engine.engine import Engine
from tests.helpers.commands import Call
from tests.helpers.runs import resource_id

pytestmark = pytest.mark.engine

ANYWHERE = "0.0.0.0/0"


@pytest.fixture(scope="module")
def network(engine: Engine) -> dict[str, str]:
    """Two subnets with a way out, their route table, its gateway and a security group."""
    ec2 = engine.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, GatewayId=gateway)
    subnets = []
    for block in ("10.9.0.0/24", "10.9.1.0/24"):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=block)["Subnet"]["SubnetId"]
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        subnets.append(subnet)
    group = ec2.create_security_group(GroupName="doctor", Description="x", VpcId=vpc)["GroupId"]
    return {"subnets": ",".join(subnets), "table": table, "gateway": gateway, "group": group}


@pytest.fixture(scope="module")
def patient(engine: Engine, network: dict[str, str]) -> LocalStack:
    parameters = {
        "ExistingSubnetIds": network["subnets"],
        "ExistingSecurityGroupIds": network["group"],
    }
    return deployed_on(engine, parameters, f"doctor-{uuid4().hex[:6]}")


def broken_things(call: Call, stack: LocalStack) -> dict[str, str]:
    """What is broken, by what was looked at; each has a fix, and the end counts them."""
    ended = call("doctor", "--stack", stack.name, "--json")
    broken = [found for found in ended.document if found["state"] == "broken"]
    assert ended.code == bool(broken)
    assert all(found["fix"] for found in broken)
    assert not broken or ended.err.startswith(f"{len(broken)} thing")
    return {found["about"]: found["text"] for found in broken}


@contextmanager
def without_route(stack: LocalStack, network: dict[str, str]) -> Iterator[None]:
    ec2 = stack.client("ec2")
    everywhere = {"RouteTableId": network["table"], "DestinationCidrBlock": ANYWHERE}
    ec2.delete_route(**everywhere)
    yield
    ec2.create_route(**everywhere, GatewayId=network["gateway"])


@contextmanager
def with_lost_message(stack: LocalStack, _network: dict[str, str]) -> Iterator[None]:
    sqs, url = stack.client("sqs"), resource_id(stack, "UploadDeadLetterQueue")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    yield
    sqs.purge_queue(QueueUrl=url)


@contextmanager
def without_notification(stack: LocalStack, _network: dict[str, str]) -> Iterator[None]:
    s3, bucket = stack.client("s3"), stack.input_bucket
    before = s3.get_bucket_notification_configuration(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    yield
    kept = {"QueueConfigurations": before["QueueConfigurations"]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=kept)


@contextmanager
def without_trigger(stack: LocalStack, _network: dict[str, str]) -> Iterator[None]:
    functions, uuid = stack.client("lambda"), resource_id(stack, "GroupObjectsFunctionUploads")
    functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    yield
    functions.update_event_source_mapping(UUID=uuid, Enabled=True)


@contextmanager
def without_public_addresses(stack: LocalStack, network: dict[str, str]) -> Iterator[None]:
    ec2, subnet = stack.client("ec2"), network["subnets"].partition(",")[0]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": False})
    yield
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})


def test_whole_stack_is_well_in_every_way(call: Call, patient: LocalStack) -> None:
    ended = call("doctor", "--stack", patient.name)
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "Nothing is broken.")
    found = call("doctor", "--stack", patient.name, "--json").document
    assert {one["state"] for one in found} == {"ok"}
    assert {one["about"] for one in found} >= {"stack", "job queue", "network", "jobs", "uploads"}


@pytest.mark.parametrize(
    ("break_it", "about", "text"),
    [
        (without_route, "network", "has no route to 0.0.0.0/0"),
        (without_public_addresses, "network", "gives machines no public address"),
        (with_lost_message, "dead-letter queue", "holds 1 messages about uploads"),
        (without_notification, "uploads", "notifies no queue of uploads"),
        (without_trigger, "uploads", "the trigger of GroupObjectsFunction is Disab"),
    ],
)
def test_what_is_broken_is_named_with_its_fix_and_nothing_else_is(
    break_it: Any,
    about: str,
    text: str,
    call: Call,
    patient: LocalStack,
    network: dict[str, str],
) -> None:
    with break_it(patient, network):
        broken = broken_things(call, patient)
        shown = call("doctor", "--stack", patient.name)
    assert list(broken) == [about]
    assert text in broken[about]
    assert shown.code == 1
    assert "-> " in shown.out
    assert broken_things(call, patient) == {}


def test_network_without_the_internet_is_well_while_its_endpoints_are_there(
    call: Call, engine: Engine
) -> None:
    stack = deployed_on(engine, {"Network": "endpoints"}, f"private-{uuid4().hex[:6]}")
    assert broken_things(call, stack) == {}
    endpoint = resource_id(stack, "LogsEndpoint")
    stack.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    text = broken_things(call, stack)["network"]
    assert "and no endpoint for logs:" in text


def test_stack_that_is_not_there_is_named(call: Call) -> None:
    ended = call("doctor", "--stack", "nowhere")
    assert (ended.code, 'there is no stack "nowhere"' in ended.err) == (2, True)
