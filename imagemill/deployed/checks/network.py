"""Can a machine reach S3, ECR and ECS? Subnets, their routes, and what may go out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imagemill.deployed.checks.environment import environments_of
from imagemill.deployed.checks.finding import Finding, broken, ok, warning
from imagemill.deployed.stack import DeployedStack

NETWORK = "network"
ANYWHERE = "0.0.0.0/0"
HTTPS = 443
FEW_ADDRESSES = 16
# What a machine without a way to the internet reaches by endpoints, by the end of their names.
ENDPOINTS = ("ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs", "s3")

Document = Mapping[str, Any]


def network(stack: DeployedStack) -> Iterator[Finding]:
    """Whether machines in the subnets of the compute environment have a way out."""
    environments = environments_of(stack)
    subnet_ids = _named(environments, "subnets")
    if stack.clients.is_local and not subnet_ids:
        yield ok(NETWORK, "jobs are processes of this machine, which need none")
        return
    ec2 = stack.client("ec2")
    if not subnet_ids:
        yield broken(NETWORK, "the compute environments have no subnet", "Run `make deploy`.")
        return
    subnets = ec2.describe_subnets(SubnetIds=subnet_ids)["Subnets"]
    tables = ec2.describe_route_tables(
        Filters=[{"Name": "vpc-id", "Values": [subnets[0]["VpcId"]]}]
    )["RouteTables"]
    missing = _missing_endpoints(ec2, subnets[0]["VpcId"])
    faults = [fault for subnet in subnets for fault in _faults_of(subnet, tables, missing)]
    for group_id in _named(environments, "securityGroupIds"):
        faults += _faults_of_group(ec2, group_id)
    yield from faults
    if not faults:
        yield ok(NETWORK, "machines have a way to S3, ECR, ECS and CloudWatch Logs")


def _named(environments: Sequence[Document], name: str) -> list[str]:
    """What the compute environments have below that name, each once."""
    found = (item for one in environments for item in one["computeResources"].get(name, ()))
    return list(dict.fromkeys(item for item in found if item))


def _missing_endpoints(ec2: Any, vpc_id: str) -> list[str]:
    """Services that machines need and the network has no endpoint for."""
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    found = ec2.describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
    usable = [one for one in found if one["VpcId"] == vpc_id]  # the engine does not filter
    names = {one["ServiceName"] for one in usable if one["State"].lower() == "available"}
    return [one for one in ENDPOINTS if not any(name.endswith(f".{one}") for name in names)]


def _faults_of(
    subnet: Document, tables: Sequence[Document], missing: Sequence[str]
) -> Iterator[Finding]:
    subnet_id = subnet["SubnetId"]
    route = _way_out(_table_of(subnet_id, tables))
    if route is None and not missing:
        return
    if route is None:
        yield broken(
            NETWORK,
            f"{subnet_id} has no route to {ANYWHERE} and no endpoint for {', '.join(missing)}: "
            "machines start and never join the cluster, and jobs stay RUNNABLE",
            "Give its route table a route to an internet gateway, or run `make deploy`.",
        )
        return
    if route.get("State") == "blackhole":
        yield broken(
            NETWORK,
            f"the route of {subnet_id} to {ANYWHERE} leads to something that is gone",
            "Replace that route, or run `make deploy`.",
        )
    if str(route.get("GatewayId", "")).startswith("igw-") and not subnet["MapPublicIpOnLaunch"]:
        yield broken(
            NETWORK,
            f"{subnet_id} gives machines no public address, without which the internet gateway is "
            "of no use",
            f"aws ec2 modify-subnet-attribute --map-public-ip-on-launch --subnet-id {subnet_id}",
        )
    if subnet.get("AvailableIpAddressCount", FEW_ADDRESSES) < FEW_ADDRESSES:
        yield warning(
            NETWORK,
            f"{subnet_id} has {subnet['AvailableIpAddressCount']} free addresses",
            "Each machine takes one: end what uses them.",
        )


def _table_of(subnet_id: str, tables: Sequence[Document]) -> Document | None:
    """The route table of a subnet: its own, or the main one of the network."""
    main = None
    for table in tables:
        for association in table.get("Associations", ()):
            if association.get("SubnetId") == subnet_id:
                return table
            if association.get("Main"):
                main = table
    return main


def _way_out(table: Document | None) -> Document | None:
    routes: Sequence[Document] = table.get("Routes", ()) if table else ()
    return next((one for one in routes if one.get("DestinationCidrBlock") == ANYWHERE), None)


def _faults_of_group(ec2: Any, group_id: str) -> Iterator[Finding]:
    group = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    if not any(_lets_https_out(rule) for rule in group.get("IpPermissionsEgress", ())):
        yield broken(
            NETWORK,
            f"{group_id} lets nothing out on port {HTTPS}",
            f"aws ec2 authorize-security-group-egress --group-id {group_id} --protocol tcp "
            f"--port {HTTPS} --cidr {ANYWHERE}",
        )


def _lets_https_out(rule: Document) -> bool:
    if rule.get("IpProtocol") == "-1":
        return True
    return int(rule.get("FromPort", 0)) <= HTTPS <= int(rule.get("ToPort", 0))
