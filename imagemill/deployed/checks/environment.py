"""The queue of a stack and its compute environments, as AWS Batch describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imagemill.deployed.stack import DeployedStack

Document = Mapping[str, Any]


def queue_of(stack: DeployedStack) -> Document | None:
    """The queue that runs use; None if there is none."""
    if stack.job_queue is None:
        return None
    answer = stack.client("batch").describe_job_queues(jobQueues=[name_in(stack.job_queue)])
    found: Sequence[Document] = answer["jobQueues"]
    return found[0] if found else None


def environments_of(stack: DeployedStack) -> list[Document]:
    """The compute environments of that queue, the first that it tries first."""
    queue = queue_of(stack) or {}
    names = [
        name_in(entry["computeEnvironment"])
        for entry in sorted(queue.get("computeEnvironmentOrder", ()), key=lambda one: one["order"])
    ]
    if not names:
        return []
    answer = stack.client("batch").describe_compute_environments(computeEnvironments=names)
    found = {one["computeEnvironmentName"]: one for one in answer["computeEnvironments"]}
    return [found[name] for name in names if name in found]


def name_in(arn: str) -> str:
    """The name at the end of an ARN."""
    return arn.rpartition("/")[2]
