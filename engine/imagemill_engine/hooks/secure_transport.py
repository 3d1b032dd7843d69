"""Access decisions: ARNs of Batch requests, and the transport of this machine."""

import ipaddress
import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator

from imagemill_engine import settings
from imagemill_engine.hooks import seam


def install() -> None:
    seam.wrap(
        iam_actions,
        "extract_resource_arn",
        [
            "service",
            "method",
            "path",
            "headers",
            "body",
            "query_params",
            "region",
            "account_id",
        ],
        resource_arn,
    )
    seam.wrap(iam_evaluator, "_resolve_condition_key", ["key", "ctx"], condition_value)


def condition_value(original: Callable[..., Any], key: str, context: Any) -> Any:
    """Within one machine nobody listens: plain HTTP to it counts as secure transport.

    The buckets of the stack deny requests without TLS, and the engine has no certificate.
    """
    if key.lower() == "aws:securetransport" and _is_loopback(context.source_ip):
        return "true"
    return original(key, context)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def resource_arn(
    original: Callable[..., Any],
    service: str,
    method: str,
    path: str,
    headers: Any,
    body: bytes,
    *rest: Any,
) -> Any:
    if service == "batch":
        return _batch_arn(path.rstrip("/").lower().rsplit("/", 1)[-1], body)
    return original(service, method, path, headers, body, *rest)


def _batch_arn(action: str, body: bytes) -> str:
    """The resource on which Batch checks a call; the describing and listing ones have none."""
    kinds = {
        "submitjob": ("jobQueue", "job-queue"),
        "terminatejob": ("jobId", "job"),
        "canceljob": ("jobId", "job"),
        "deregisterjobdefinition": ("jobDefinition", "job-definition"),
    }
    if action not in kinds:
        return "*"
    member, kind = kinds[action]
    try:
        name = str(json.loads(body or b"{}").get(member, ""))
    except ValueError:
        return "*"
    if name.startswith("arn:"):
        return name
    return f"arn:aws:batch:{settings.REGION}:{settings.ACCOUNT_ID}:{kind}/{name}"
