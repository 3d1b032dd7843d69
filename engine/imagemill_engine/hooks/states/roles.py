"""Checks the rights of a state machine's role; the emulator calls its services without asking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ministack.services import stepfunctions as states

from imagemill_engine import settings
from imagemill_engine.hooks import patching
from imagemill_engine.hooks.rights.policies import is_allowed, require_evaluator
from imagemill_engine.hooks.states.executions import current_execution, role_arn_of
from imagemill_engine.shapes import Document, Function

MANAGED_RULE = (
    f"arn:aws:events:{settings.REGION}:{settings.ACCOUNT_ID}"
    ":rule/StepFunctionsGetEventsForBatchJobsRule"
)
DEFAULT_BUS = f"arn:aws:events:{settings.REGION}:{settings.ACCOUNT_ID}:event-bus/default"


@dataclass(frozen=True, slots=True)
class Need:
    """A right that a state needs; `error` is the name under which it fails without.

    `keys` are what conditions may ask for beside.
    """

    action: str
    resource: str
    error: str
    keys: Mapping[str, str] = field(default_factory=dict)


def install() -> None:
    """Check each task before it is run."""
    require_evaluator()
    patching.wrap(states, "_invoke_resource", ["resource", "input_data"], invoke_resource)


def invoke_resource(original: Function, resource: str, arguments: Document) -> object:
    """Run a task with the rights of its state machine's role."""
    role_arn = role_arn_of(current_execution()["stateMachineArn"])
    for need in needs_of(resource, arguments):
        require_right(role_arn, need)
    return original(resource, arguments)


def require_right(role_arn: str, need: Need) -> None:
    """Fail the state, by the name that the need gives, when the role lacks the right."""
    if not is_allowed(role_arn, need.action, need.resource, need.keys):
        raise states._ExecutionError(
            need.error,
            f"{role_arn} is not authorized to perform: {need.action} on resource: {need.resource}",
        )


def needs_of(resource: str, arguments: Document) -> Iterator[Need]:
    """The rights that a task needs: of Lambda, Batch and EventBridge, which are all that we use."""
    if resource.endswith(":lambda:invoke"):
        function = arguments["FunctionName"]
        yield Need("lambda:InvokeFunction", function, "Lambda.AWSLambdaException")
    elif resource.endswith(":events:putEvents"):
        for entry in arguments["Entries"]:
            keys = {"events:source": entry["Source"]}
            yield Need("events:PutEvents", DEFAULT_BUS, "EventBridge.AccessDeniedException", keys)
    elif ":batch:submitJob" in resource:
        # Batch has no error of its own for a missing right, so its general one is seen.
        for member in ("JobQueue", "JobDefinition"):
            yield Need("batch:SubmitJob", arguments[member], "Batch.AWSBatchException")
        # By a managed rule, and by asking, Step Functions learns that a job has ended.
        yield Need("batch:DescribeJobs", "*", "States.Runtime")
        for action in ("events:PutTargets", "events:PutRule", "events:DescribeRule"):
            yield Need(action, MANAGED_RULE, "States.Runtime")
