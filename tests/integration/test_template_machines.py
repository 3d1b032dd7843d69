"""Jobs, machines and their network in the template."""

from __future__ import annotations

from ipaddress import ip_network
from itertools import combinations
from typing import Any

import pytest

from imagemill_contract.errors import WorkerExit
from imagemill_contract.keys import Stage
from tests.helpers.stack_template import resources_of, template

# Stages with a job definition of their own.
DEFINED = [stage for stage in Stage if not stage.entry.on_request]


@pytest.mark.parametrize("stage", DEFINED)
def test_job_has_limits_retries_and_a_command_of_its_stage(stage: Stage) -> None:
    job = resources_of("AWS::Batch::JobDefinition")[f"{stage.title()}JobDefinition"]
    command = ["python", "-m", "imagemill_worker", stage, "--shard", "Ref::shard"]
    found = job["ContainerProperties"]["Command"]
    if stage is Stage.MODEL:
        condition, on_gpu, found = found["Fn::If"]
        assert (condition, on_gpu) == ("HasGpu", [*command[:4], "--gpu", *command[4:]])
    defaults = job["Parameters"]
    assert [defaults.get("stage") if word == "Ref::stage" else word for word in found] == command
    assert job["Timeout"]["AttemptDurationSeconds"] > 0
    rules = job["RetryStrategy"]["EvaluateOnExit"]
    assert {"OnExitCode": f"{WorkerExit.TRY_AGAIN:d}", "Action": "RETRY"} in rules
    on_fargate = "RunsModelsOnFargate" if stage is Stage.MODEL else "UsesFargate"
    reclaimed = {"Fn::If": [on_fargate, "Your Spot Task was interrupted*", "Host EC2*"]}
    assert {"OnStatusReason": reclaimed, "Action": "RETRY"} in rules
    assert rules[-1] == {"OnReason": "*", "Action": "EXIT"}


def test_models_run_on_gpu_machines_exactly_if_there_are_such() -> None:
    job = resources_of("AWS::Batch::JobDefinition")["ModelJobDefinition"]
    gpu = {"Fn::If": ["HasGpu", {"Type": "GPU", "Value": "1"}, {"Ref": "AWS::NoValue"}]}
    assert gpu in job["ContainerProperties"]["ResourceRequirements"]
    (machine,) = resources_of("AWS::Serverless::StateMachine").values()
    queue = machine["DefinitionSubstitutions"]["ModelJobQueueArn"]
    assert queue["Fn::If"][:2] == ["HasGpu", {"Ref": "GpuJobQueue"}]
    assert queue["Fn::If"][2] == machine["DefinitionSubstitutions"]["JobQueueArn"]


ENVIRONMENTS = resources_of("AWS::Batch::ComputeEnvironment")
MACHINES = {name: item for name, item in ENVIRONMENTS.items() if "Fargate" not in name}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_compute_environment_scales_to_zero_and_can_be_updated_in_place(name: str) -> None:
    environment = ENVIRONMENTS[name]
    assert environment["ComputeResources"].get("MinvCpus", 0) == 0
    assert environment["ReplaceComputeEnvironment"] is False
    assert not {"ServiceRole", "ComputeEnvironmentName"} & set(environment)


def test_jobs_run_on_spot_machines_unless_something_else_is_chosen() -> None:
    assert template()["Parameters"]["Compute"]["Default"] == "spot"
    kinds = {name: item["ComputeResources"]["Type"] for name, item in ENVIRONMENTS.items()}
    assert kinds == {
        "ComputeEnvironment": "SPOT",
        "OnDemandComputeEnvironment": "EC2",
        "FargateComputeEnvironment": "FARGATE_SPOT",
        "GpuComputeEnvironment": "SPOT",
    }


@pytest.mark.parametrize("name", MACHINES)
def test_no_machine_has_more_jobs_than_its_disk_is_sized_for(name: str) -> None:
    chosen = MACHINES[name]["ComputeResources"]["InstanceTypes"]
    lists = chosen["Fn::If"][1:] if isinstance(chosen, dict) else [chosen]
    vcpus = {"xlarge": 4, "2xlarge": 8, "4xlarge": 16}
    most = max(vcpus[kind.partition(".")[2]] for kinds in lists for kind in kinds)
    gib = template()["Parameters"]["WorkerVolumeGib"]["Default"]
    assert gib >= 4 + 6 * most  # the arithmetic is in docs/deploy.md


def test_arm_and_x86_have_the_same_choice_of_machines() -> None:
    for name in ("ComputeEnvironment", "OnDemandComputeEnvironment"):
        _, arm, x86 = MACHINES[name]["ComputeResources"]["InstanceTypes"]["Fn::If"]
        assert [kind.replace("g.", "i.") for kind in arm] == x86


@pytest.mark.parametrize("name", MACHINES)
def test_machines_keep_their_role_from_jobs_and_encrypt_their_disk(name: str) -> None:
    launch = MACHINES[name]["ComputeResources"]["LaunchTemplate"]
    assert launch["LaunchTemplateId"] == {"Ref": "WorkerLaunchTemplate"}
    (machine,) = resources_of("AWS::EC2::LaunchTemplate").values()
    data = machine["LaunchTemplateData"]
    assert data["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    (disk,) = data["BlockDeviceMappings"]
    assert disk["Ebs"]["Encrypted"] is True
    assert disk["Ebs"]["VolumeType"] == "gp3"


@pytest.mark.parametrize("stage", DEFINED)
def test_a_job_can_write_its_scratch_volume_and_nothing_else(stage: Stage) -> None:
    job = resources_of("AWS::Batch::JobDefinition")[f"{stage.title()}JobDefinition"]
    container = job["ContainerProperties"]
    assert container["Privileged"] is False
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"] == {"InitProcessEnabled": True}
    assert container["Volumes"] == [{"Name": "scratch"}]  # with no path of the machine
    assert container["MountPoints"] == [{"SourceVolume": "scratch", "ContainerPath": "/scratch"}]


def test_nothing_may_come_in() -> None:
    groups = resources_of("AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in groups.pop("WorkerSecurityGroup")
    (endpoints,) = groups.values()
    (rule,) = endpoints["SecurityGroupIngress"]
    assert rule["SourceSecurityGroupId"] == {"Ref": "WorkerSecurityGroup"}
    assert "CidrIp" not in rule
    assert not resources_of("AWS::EC2::SecurityGroupIngress")


PRIVATE = ("SubnetA", "SubnetB", "SubnetC", "SubnetD")


@pytest.mark.parametrize("name", PRIVATE)
def test_subnets_give_public_addresses_only_where_machines_go_out_by_them(name: str) -> None:
    subnet = resources_of("AWS::EC2::Subnet")[name]
    assert subnet["MapPublicIpOnLaunch"] == {"Fn::If": ["IsPublic", True, False]}
    (table,) = [
        item["RouteTableId"]
        for item in resources_of("AWS::EC2::SubnetRouteTableAssociation").values()
        if item["SubnetId"] == {"Ref": name}
    ]
    assert table == {"Ref": "RouteTable"}


def test_private_machines_go_out_by_the_nat_gateway_which_has_a_subnet_of_its_own() -> None:
    """Read from the template: with four zones, which the engine does not have, as well."""
    routes = resources_of("AWS::EC2::Route")
    nothing = {"Ref": "AWS::NoValue"}
    assert routes["DefaultRoute"]["NatGatewayId"] == {
        "Fn::If": ["UsesNat", {"Ref": "NatGateway"}, nothing]
    }
    assert routes["DefaultRoute"]["GatewayId"]["Fn::If"][0] == "IsPublic"
    gateway = resources_of("AWS::EC2::NatGateway")["NatGateway"]
    assert gateway["SubnetId"] == {"Ref": "NatSubnet"}
    assert routes["NatRoute"]["GatewayId"] == {"Ref": "InternetGateway"}
    blocks = [item["CidrBlock"] for item in resources_of("AWS::EC2::Subnet").values()]
    of_nat = [ip_network(_chosen(block, "UsesNat")) for block in blocks]
    of_others = [ip_network(_chosen(block, "")) for block in blocks[:4]]
    for networks in (of_nat, of_others):
        assert not any(one.overlaps(other) for one, other in combinations(networks, 2))


def _chosen(value: Any, condition: str) -> str:
    """A property that may depend on one condition."""
    if isinstance(value, str):
        return value
    name, then, otherwise = value["Fn::If"]
    return str(then if name == condition else otherwise)
