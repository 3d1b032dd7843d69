"""Grants of roles: what the template allows, and a role without one of them for a while."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
