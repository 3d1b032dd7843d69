"""Grants of roles: what the template allows, and a role without one of them for a while."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.helpers.stack_template import template

Document = dict[str, Any]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def document_without(document: Document, statement: int, action: str, resource: int) -> Document:
    """A policy that does not allow one action on one resource of one of its statements."""
    result = copy.deepcopy(document)
    whole = result["Statement"].pop(statement)
    actions, resources = as_list(whole["Action"]), as_list(whole["Resource"])
    others = [name for name in actions if name != action]
    elsewhere = [place for index, place in enumerate(resources) if index != resource]
    if others:
        result["Statement"].append({**whole, "Action": others})
    if elsewhere:
        result["Statement"].append({**whole, "Action": action, "Resource": elsewhere})
    return result


@contextmanager
def role_policy(iam: Any, role: str, policy: str, changed: Document) -> Iterator[None]:
    """A role with a changed inline policy, which it gets back at the end of the block."""
    known = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    put_policy(iam, role, policy, changed)
    try:
        yield
    finally:
        put_policy(iam, role, policy, known)


def put_policy(iam: Any, role: str, policy: str, document: Document) -> None:
    if document["Statement"]:
        text = json.dumps(document)
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=text)
    else:  # a policy has at least one statement
        iam.delete_role_policy(RoleName=role, PolicyName=policy)


@dataclass(frozen=True, slots=True)
class Grant:
    """One action that one policy of the template allows on one of its resources."""

    role: str
    policy: str
    statement: int
    action: str
    position: int  # of the resource in its statement
    resource: str  # as people read it

    @property
    def name(self) -> str:
        return f"{self.role} {self.action} {self.resource}"


def grants() -> list[Grant]:
    """Everything that the template allows a role, in its order.

    Policies that depend on a condition are left out.
    """
    return [grant for role, policy in _policies() for grant in _grants_of(role, policy)]


def _policies() -> Iterator[tuple[str, Document]]:
    for name, resource in template()["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            yield from ((name, policy) for policy in properties.get("Policies", ()))
        elif resource["Type"] == "AWS::IAM::Policy" and "Condition" not in resource:
            yield from ((role["Ref"], properties) for role in properties["Roles"])


def _grants_of(role: str, policy: Document) -> Iterator[Grant]:
    for index, statement in enumerate(policy["PolicyDocument"]["Statement"]):
        for action in as_list(statement["Action"]):
            for position, resource in enumerate(as_list(statement["Resource"])):
                label = label_of(resource)
                yield Grant(role, policy["PolicyName"], index, action, position, label)


def label_of(resource: Any) -> str:
    """A resource of the template in a few words, such as `OutputBucket/inbox/*`."""
    if isinstance(resource, str):
        return resource
    ((function, value),) = resource.items()
    if function == "Fn::If":
        return label_of(value[1])
    text = f"${{{value}}}" if function in ("Ref", "Fn::GetAtt") else str(value)
    text = re.sub(r"^arn:.*?\$\{AWS::AccountId\}:", "", text)
    return re.sub(r"\$\{(\w+)(?:\.\w+)?\}", r"\1", text)


@contextmanager
def without(client: Callable[[str], Any], stack_name: str, grant: Grant) -> Iterator[None]:
    """A deployed stack whose role lacks one grant, until the end of the block."""
    described = client("cloudformation").describe_stack_resource(
        StackName=stack_name, LogicalResourceId=grant.role
    )
    role, iam = described["StackResourceDetail"]["PhysicalResourceId"], client("iam")
    known = iam.get_role_policy(RoleName=role, PolicyName=grant.policy)["PolicyDocument"]
    changed = document_without(known, grant.statement, grant.action, grant.position)
    with role_policy(iam, role, grant.policy, changed):
        yield
