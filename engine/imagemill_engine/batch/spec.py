"""What a job is to run: a job definition, a queue and a SubmitJob request put together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from imagemill_engine.batch.retry import RetryStrategy

Document = Mapping[str, Any]

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
    group: str
    stream_prefix: str
    create_group: bool


@dataclass(frozen=True, slots=True)
class JobSpec:
    job_name: str
    definition_arn: str
    definition_name: str
    placement: Placement
    command: tuple[str, ...]
    environment: Mapping[str, str]
    parameters: Mapping[str, str]
    vcpus: float
    memory_mib: int
    image: str
    job_role_arn: str
    log: LogTarget
    retry: RetryStrategy = field(default_factory=RetryStrategy)
    timeout_seconds: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_request(cls, definition: Document, placement: Placement, request: Document) -> Self:
        container: Document = definition.get("containerProperties") or {}
        overrides: Document = request.get("containerOverrides") or {}
        parameters = {**_of(definition, "parameters"), **_of(request, "parameters")}
        command = overrides.get("command") or container.get("command") or ()
        resources = _resources(container) | _resources(overrides)
        retry = request.get("retryStrategy") or definition.get("retryStrategy") or {}
        return cls(
            job_name=request["jobName"],
            definition_arn=definition["jobDefinitionArn"],
            definition_name=definition["jobDefinitionName"],
            placement=placement,
            command=substituted(command, parameters),
            environment=_environment(container) | _environment(overrides),
            parameters=parameters,
            vcpus=float(resources.get("VCPU") or container.get("vcpus", 1)),
            memory_mib=int(resources.get("MEMORY") or container.get("memory", DEFAULT_MEMORY_MIB)),
            image=str(container.get("image", "")),
            job_role_arn=str(container.get("jobRoleArn", "")),
            log=_log_target(container, definition["jobDefinitionName"]),
            retry=RetryStrategy.from_document(retry),
            timeout_seconds=_timeout_seconds(request) or _timeout_seconds(definition),
            tags=_of(request, "tags"),
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


def _of(document: Document, name: str) -> dict[str, str]:
    return {key: str(value) for key, value in (document.get(name) or {}).items()}


def _environment(container: Document) -> dict[str, str]:
    return {pair["name"]: str(pair["value"]) for pair in container.get("environment") or ()}


def _resources(container: Document) -> dict[str, str]:
    pairs = container.get("resourceRequirements") or ()
    return {pair["type"]: str(pair["value"]) for pair in pairs}


def _timeout_seconds(document: Document) -> float | None:
    seconds = (document.get("timeout") or {}).get("attemptDurationSeconds")
    return None if seconds is None else float(seconds)


def _log_target(container: Document, definition_name: str) -> LogTarget:
    options: Document = (container.get("logConfiguration") or {}).get("options") or {}
    group = options.get("awslogs-group", DEFAULT_LOG_GROUP)
    return LogTarget(
        group=group,
        stream_prefix=options.get("awslogs-stream-prefix", definition_name),
        create_group=group == DEFAULT_LOG_GROUP or options.get("awslogs-create-group") == "true",
    )
