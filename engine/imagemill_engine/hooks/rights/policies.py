"""What the policies of a role allow, as the emulator reads them for its own API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ministack.core import iam_evaluator

from imagemill_engine import settings
from imagemill_engine.hooks import patching

Right = tuple[str, str]  # action, ARN of what it is done to
_NONE: Mapping[str, str] = {}


def require_evaluator() -> None:
    """Raises HookError when the emulator evaluates policies in another way than it did."""
    patching.require(iam_evaluator, "EvalContext")
    patching.require_function(iam_evaluator, "evaluate", ["ctx", "policies", "limits"])
    patching.require_function(iam_evaluator, "_gather_role_policies", ["role_name", "account_id"])


def is_allowed(role_arn: str, action: str, resource: str, keys: Mapping[str, str] = _NONE) -> bool:
    """Whether the policies of a role allow it an action; `keys` are those of the service."""
    role_name = role_arn.rsplit("/", 1)[-1]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{settings.ACCOUNT_ID}:assumed-role/{role_name}/service",
        principal_type="AssumedRole",
        principal_account=settings.ACCOUNT_ID,
        action=action,
        resource_arn=resource,
        region=settings.REGION,
        service_context=dict(keys),
    )
    policies = iam_evaluator._gather_role_policies(role_name, settings.ACCOUNT_ID)
    return bool(iam_evaluator.evaluate(context, policies).decision == "Allow")


def missing(role_arn: str, rights: Iterable[Right]) -> list[Right]:
    """Those of some rights that a role does not have."""
    return [right for right in rights if not is_allowed(role_arn, *right)]


def log_rights(group: str, stream: str) -> list[Right]:
    """What it takes to write to a stream of its own."""
    place = f"arn:aws:logs:{settings.REGION}:{settings.ACCOUNT_ID}:log-group:{group}"
    resource = f"{place}:log-stream:{stream}"
    return [("logs:CreateLogStream", resource), ("logs:PutLogEvents", resource)]
