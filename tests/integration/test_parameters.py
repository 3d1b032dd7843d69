"""Each choice that docs/deploy.md names: the stack deploys with it, and a run ends well on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imagemill.local_stack import LocalStack, deployed_on
from imagemill_engine.engine import Engine
from imagemill_engine.errors import DeployError
from tests.helpers.photographs import cut
from tests.helpers.runs import ended, resource_id, start
from tests.helpers.translated import translated

BUCKET = "bucket-of-another-stack"
KEY = "arn:aws:kms:us-east-1:000000000000:key/of-the-test"
CHOICES = {
    "x86": {"Architecture": "x86_64", "Compute": "spot"},
    "arm-on-demand": {"Architecture": "arm64", "Compute": "on-demand"},
    "both": {"Compute": "spot-then-on-demand", "OnDemandMaxvCpus": "8"},
    "fargate-arm": {"Architecture": "arm64", "Compute": "fargate-spot"},
    "fargate-x86": {"Architecture": "x86_64", "Compute": "fargate-spot"},
    "gpu": {"GpuMaxvCpus": "8", "ZoneCount": "2"},
    "own-bucket": {"ExistingInputBucketName": BUCKET},
    "own-network": {
        "ExistingSubnetIds": "subnet-1,subnet-2",
        "ExistingSecurityGroupIds": "sg-1",
        "Compute": "fargate-spot",
        "GpuMaxvCpus": "4",
    },
    "nat": {"Network": "nat"},
    "endpoints": {"Network": "endpoints", "Compute": "fargate-spot"},
    "key": {"KmsKeyArn": KEY, "MailAddress": "somebody@example.com"},
    "four-zones": {"ZoneCount": "4"},
    "kept": {"InputBucketVersioning": "Enabled", "AccessLogBucketName": BUCKET},
}
NOT_HERE = ("four-zones",)  # the engine has three


def test_choices_are_conditions_of_one_template() -> None:
    """So `make check-template` looks at all of them: cfn-lint tries each condition both ways."""
    templates = {json.dumps(translated(chosen), sort_keys=True) for chosen in CHOICES.values()}
    assert len(templates) == 1


def deployed(engine: Engine, name: str) -> LocalStack:
    if BUCKET in CHOICES[name].values():
        engine.client("s3").create_bucket(Bucket=BUCKET)
    return deployed_on(engine, CHOICES[name], f"choice-{name}")


@pytest.mark.engine
@pytest.mark.parametrize("name", [name for name in CHOICES if name not in NOT_HERE])
def test_stack_of_the_choice_carries_out_a_run(name: str, engine: Engine) -> None:
    stack = deployed(engine, name)
    s3 = stack.client("s3")
    s3.put_object(Bucket=stack.input_bucket, Key=f"by-hand/{name}.jpg", Body=cut(0))

    run = ended(start(stack, {"source": f"s3://{stack.input_bucket}/by-hand/"})).result()

    assert run["stages"]["edge"]["written"] == 1
    CHECKS.get(name, lambda _: None)(stack)


def environments_of(stack: LocalStack, queue: str) -> list[dict[str, Any]]:
    """The compute environments of a queue, in their order."""
    batch = stack.client("batch")
    arn = resource_id(stack, queue)
    (found,) = batch.describe_job_queues(jobQueues=[arn])["jobQueues"]
    names = [entry["computeEnvironment"] for entry in found["computeEnvironmentOrder"]]
    described = batch.describe_compute_environments()  # the engine looks none up by its ARN
    by_arn = {item["computeEnvironmentArn"]: item for item in described["computeEnvironments"]}
    return [by_arn[name]["computeResources"] for name in names]


def definition_of(stack: LocalStack) -> dict[str, Any]:
    arn = resource_id(stack, "ResizeJobDefinition")
    found = stack.client("batch").describe_job_definitions()["jobDefinitions"]
    (definition,) = [item for item in found if item["jobDefinitionArn"] == arn]
    return dict(definition)


def is_both(stack: LocalStack) -> None:
    first, second = environments_of(stack, "JobQueue")
    assert (first["type"], second["type"]) == ("SPOT", "EC2")
    assert int(second["maxvCpus"]) == 8


def is_fargate(stack: LocalStack, processor: str) -> None:
    (only,) = environments_of(stack, "FargateJobQueue")
    assert only["type"] == "FARGATE_SPOT"
    definition = definition_of(stack)
    assert definition["platformCapabilities"] == ["FARGATE"]
    container = definition["containerProperties"]
    assert container["runtimePlatform"]["cpuArchitecture"] == processor


def is_x86(stack: LocalStack) -> None:
    (only,) = environments_of(stack, "JobQueue")
    assert all("g." not in kind for kind in only["instanceTypes"])
    assert "runtimePlatform" not in definition_of(stack)["containerProperties"]
    functions = stack.client("lambda").list_functions()["Functions"]
    of_stack = [item for item in functions if item["FunctionName"].startswith(stack.name)]
    assert {tuple(item["Architectures"]) for item in of_stack} == {("x86_64",)}


def is_in_own_network(stack: LocalStack) -> None:
    for queue in ("FargateJobQueue", "GpuJobQueue"):
        (only,) = environments_of(stack, queue)
        assert only["subnets"] == ["subnet-1", "subnet-2"]
        assert only["securityGroupIds"] == ["sg-1"]


def is_reached_by_endpoints(stack: LocalStack) -> None:
    (only,) = environments_of(stack, "FargateJobQueue")
    ec2 = stack.client("ec2")
    subnets = ec2.describe_subnets(SubnetIds=only["subnets"])["Subnets"]
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    container = definition_of(stack)["containerProperties"]
    assert container["networkConfiguration"]["assignPublicIp"] == "DISABLED"


def is_reached_by_nat(stack: LocalStack) -> None:
    """Machines have private addresses, and one route out of their subnets: the gateway."""
    ec2 = stack.client("ec2")
    (machines,) = environments_of(stack, "JobQueue")
    subnets = ec2.describe_subnets(SubnetIds=machines["subnets"])["Subnets"]
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    gateway = resource_id(stack, "NatGateway")
    (found,) = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    assert found["SubnetId"] not in machines["subnets"]
    assert ways_out(ec2, machines["subnets"]) == {gateway}
    assert ways_out(ec2, [found["SubnetId"]]) == {resource_id(stack, "InternetGateway")}


def ways_out(ec2: Any, subnets: list[str]) -> set[str]:
    """Where what leaves some subnets for the internet goes to."""
    tables = ec2.describe_route_tables()["RouteTables"]
    of_subnets = [
        table
        for table in tables
        if any(item.get("SubnetId") in subnets for item in table["Associations"])
    ]
    return {
        route.get("NatGatewayId") or route["GatewayId"]
        for table in of_subnets
        for route in table["Routes"]
        if route.get("DestinationCidrBlock") == "0.0.0.0/0"
    }


def is_encrypted(stack: LocalStack) -> None:
    sqs, logs = (stack.client(name) for name in ("sqs", "logs"))
    for queue in ("UploadQueue", "UploadDeadLetterQueue"):
        url = resource_id(stack, queue)
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert attributes["KmsMasterKeyId"] == KEY
    (group,) = logs.describe_log_groups(logGroupNamePrefix=stack.worker_log_group)["logGroups"]
    assert group["kmsKeyId"] == KEY
    (environment,) = environments_of(stack, "JobQueue")
    assert len(set(environment["subnets"])) == 3


def keeps_versions(stack: LocalStack) -> None:
    answer = stack.client("s3").get_bucket_versioning(Bucket=stack.input_bucket)
    assert answer["Status"] == "Enabled"


CHECKS = {
    "x86": is_x86,
    "both": is_both,
    "fargate-arm": lambda stack: is_fargate(stack, "ARM64"),
    "fargate-x86": lambda stack: is_fargate(stack, "X86_64"),
    "own-network": is_in_own_network,
    "endpoints": is_reached_by_endpoints,
    "nat": is_reached_by_nat,
    "key": is_encrypted,
    "kept": keeps_versions,
}


@pytest.mark.engine
@pytest.mark.parametrize("given", ["ExistingSubnetIds", "ExistingSecurityGroupIds"])
def test_half_a_network_of_yours_is_refused(given: str, engine: Engine) -> None:
    kind = "subnet" if "Subnet" in given else "sg"
    with pytest.raises(DeployError, match="Give Existing"):
        deployed_on(engine, {given: f"{kind}-1"}, f"half-{kind}")


@pytest.mark.engine
def test_ids_that_are_none_are_refused(engine: Engine) -> None:
    parameters = {"ExistingSubnetIds": "subnet-1, subnet-2", "ExistingSecurityGroupIds": "sg-1"}
    with pytest.raises(DeployError, match="ExistingSubnetIds"):
        deployed_on(engine, parameters, "blanks")
