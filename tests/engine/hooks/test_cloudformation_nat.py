"""NAT gateways: created with their stack and its routes, and deleted with it."""

from __future__ import annotations

import json
from uuid import uuid4

from imagemill_engine.engine import Engine

TEMPLATE = {
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.0.0/24"},
        },
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
        "Gateway": {
            "Type": "AWS::EC2::NatGateway",
            "Properties": {
                "SubnetId": {"Ref": "Subnet"},
                "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]},
            },
        },
        "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "Route": {
            "Type": "AWS::EC2::Route",
            "Properties": {
                "RouteTableId": {"Ref": "Table"},
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": {"Ref": "Gateway"},
            },
        },
    },
    "Outputs": {
        "Vpc": {"Value": {"Ref": "Vpc"}},
        "Subnet": {"Value": {"Ref": "Subnet"}},
        "Table": {"Value": {"Ref": "Table"}},
        "Address": {"Value": {"Ref": "Address"}},
    },
}


def test_a_gateway_has_its_subnet_its_address_and_its_route(engine: Engine):
    cloudformation, ec2 = engine.client("cloudformation"), engine.client("ec2")
    name = f"nat-{uuid4().hex[:8]}"
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(TEMPLATE))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1}
    )
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    of_vpc = [{"Name": "vpc-id", "Values": [outputs["Vpc"]]}]

    (gateway,) = ec2.describe_nat_gateways(Filters=of_vpc)["NatGateways"]
    assert (gateway["SubnetId"], gateway["State"]) == (outputs["Subnet"], "available")
    (table,) = ec2.describe_route_tables(RouteTableIds=[outputs["Table"]])["RouteTables"]
    routes = [route.get("NatGatewayId") for route in table["Routes"]]
    assert gateway["NatGatewayId"] in routes
    addresses = [item["PublicIp"] for item in ec2.describe_addresses()["Addresses"]]
    assert outputs["Address"] in addresses

    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1}
    )
    states = [item["State"] for item in ec2.describe_nat_gateways(Filters=of_vpc)["NatGateways"]]
    assert states in ([], ["deleted"])
    addresses = [item["PublicIp"] for item in ec2.describe_addresses()["Addresses"]]
    assert outputs["Address"] not in addresses
