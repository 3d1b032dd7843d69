"""NAT gateways and their addresses in CloudFormation, which the emulator has in its EC2 alone."""

from __future__ import annotations

import re

from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from imagemill_engine.errors import HookError
from imagemill_engine.hooks import patching
from imagemill_engine.shapes import Document, Function

Provisioned = tuple[str, Document]  # physical id, attributes for Fn::GetAtt


def install() -> None:
    """Add the two types. A change of the template makes another one, as on AWS."""
    handlers = patching.require_table(provisioners, "_RESOURCE_HANDLERS")
    for name in ("_create_nat_gateway", "_delete_nat_gateway"):
        patching.require_function(ec2, name, ["params"])
    for name in ("_allocate_address", "_release_address"):
        patching.require_function(ec2, name, ["p"])
    patching.require(ec2, "_addresses")
    handlers["AWS::EC2::EIP"] = {"create": allocate_address, "delete": release_address}
    handlers["AWS::EC2::NatGateway"] = {"create": create_gateway, "delete": delete_gateway}


def allocate_address(_logical_id: str, properties: Document, _stack: str) -> Provisioned:
    """A public address. Its `Ref` is the address."""
    answer = _answer(ec2._allocate_address, {"Domain": properties.get("Domain", "vpc")})
    address, allocation = _in(answer, "publicIp"), _in(answer, "allocationId")
    return address, {"AllocationId": allocation, "PublicIp": address}


def release_address(physical_id: str, _properties: Document) -> None:
    for allocation, address in list(ec2._addresses.items()):
        if address["PublicIp"] == physical_id:
            _answer(ec2._release_address, {"AllocationId": allocation})


def create_gateway(_logical_id: str, properties: Document, _stack: str) -> Provisioned:
    """A gateway in a subnet, with the address that is allocated for it."""
    names = ("SubnetId", "AllocationId")
    answer = _answer(ec2._create_nat_gateway, {name: properties[name] for name in names})
    gateway = _in(answer, "natGatewayId")
    return gateway, {"NatGatewayId": gateway}


def delete_gateway(physical_id: str, _properties: Document) -> None:
    _answer(ec2._delete_nat_gateway, {"NatGatewayId": physical_id})


def _answer(operation: Function, request: dict[str, str]) -> str:
    """What an operation answers, as XML. Raises HookError for an error."""
    status, _, body = operation({name: [value] for name, value in request.items()})
    text: str = body.decode()
    if status != 200:
        raise HookError(text)
    return text


def _in(answer: str, name: str) -> str:
    found = re.search(rf"<{name}>(.+?)</{name}>", answer)
    if not found:
        raise HookError(f"There is no {name} in {answer}")
    return found[1]
