"""What a job is to run: a job definition, a queue and a SubmitJob request put together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from imagemill_engine.batch.retry import RetryStrategy
from imagemill_engine.shapes import Document

# Where Batch puts the output of a job whose definition names no log group.
DEFAULT_LOG_GROUP = "/aws/batch/job"
DEFAULT_MEMORY_MIB = 2048


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a job waits and how much room there is: a queue and its compute environments."""

    queue_arn: str
    queue_name: str
    compute_environment_name: str
    max_vcpus: float


@dataclass(frozen=True, slots=True)
class LogTarget:
    """Where the output of a job goes: a log group, and the first part of the stream's name."""

    group: str
    stream_prefix: str


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job as it was submitted. `command` has its parameters filled in."""

    job_name: str
    definition_arn: str
    placement: Placement
    command: tuple[str, ...]
    environment: Mapping[str, str]
    parameters: Mapping[str, str]
    vcpus: float
    memory_mib: int
    image: str
    job_role_arn: str
    execution_role_arn: str
    log: LogTarget
    retry: RetryStrategy = field(default_factory=RetryStrategy)
    timeout_seconds: float | None = None

    @classmethod
    def from_request(cls, definition: Document, placement: Placement, request: Document) -> Self:
        """Of a job definition and a SubmitJob request that brings a name and parameters."""
        container: Document = definition.get("containerProperties") or {}
        parameters = {**_strings(definition, "parameters"), **_strings(request, "parameters")}
        resources = _pairs(container, "resourceRequirements", "type")
        seconds = (definition.get("timeout") or {}).get("attemptDurationSeconds")
        return cls(
            job_name=request["jobName"],
            definition_arn=definition["jobDefinitionArn"],
            placement=placement,
            command=substituted(container.get("command") or (), parameters),
            environment=_pairs(container, "environment", "name"),
            parameters=parameters,
            vcpus=float(resources.get("VCPU", 1)),
            memory_mib=int(resources.get("MEMORY", DEFAULT_MEMORY_MIB)),
            image=str(container.get("image", "")),
            job_role_arn=str(container.get("jobRoleArn", "")),
            execution_role_arn=str(container.get("executionRoleArn", "")),
            log=_log_target(container, definition["jobDefinitionName"]),
            retry=RetryStrategy.from_document(definition.get("retryStrategy") or {}),
            timeout_seconds=None if seconds is None else float(seconds),
        )


def substituted(command: Sequence[str], parameters: Mapping[str, str]) -> tuple[str, ...]:
    """The command with every `Ref::name` replaced; one without a parameter stays as it is.

    Longer names first, so that `Ref::input_key` is not taken for `Ref::input`.
    """
    if not parameters:
        return tuple(command)
    names = "|".join(re.escape(name) for name in sorted(parameters, key=len, reverse=True))
    reference = re.compile(f"Ref::({names})")
    return tuple(reference.sub(lambda found: parameters[found[1]], part) for part in command)


def _strings(document: Document, member: str) -> dict[str, str]:
    return {name: str(value) for name, value in (document.get(member) or {}).items()}


def _pairs(container: Document, member: str, name: str) -> dict[str, str]:
    return {pair[name]: str(pair["value"]) for pair in container.get(member) or ()}


def _log_target(container: Document, definition_name: str) -> LogTarget:
    options: Document = (container.get("logConfiguration") or {}).get("options") or {}
    return LogTarget(
        group=options.get("awslogs-group", DEFAULT_LOG_GROUP),
        stream_prefix=options.get("awslogs-stream-prefix", definition_name),
    )
