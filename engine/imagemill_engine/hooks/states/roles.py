"""Checks the rights of a state machine's role; the emulator calls its services without asking."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import stepfunctions as states

from imagemill_engine import settings
from imagemill_engine.hooks import seam
from imagemill_engine.hooks.states.scope import current

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Need:
    """`error` is the name under which the state fails when the right is missing."""

    action: str
    resource: str
    error: str


def install() -> None:
    seam.require(iam_evaluator, "EvalContext")
    seam.require_function(iam_evaluator, "evaluate", ["ctx", "policies", "limits"])
    seam.require_function(iam_evaluator, "_gather_role_policies", ["role_name", "account_id"])
    seam.wrap(states, "_invoke_resource", ["resource", "input_data"], invoke_resource)


def invoke_resource(original: Callable[..., Any], resource: str, arguments: Any) -> Any:
    scope = current()
    if scope is not None:
        scope.check()
        for need in needs_of(resource, arguments):
            require_right(scope.role_arn, need)
    return original(resource, arguments)


def require_right(role_arn: str, need: Need) -> None:
    if not is_allowed(role_arn, need.action, need.resource):
        raise states._ExecutionError(
            need.error,
            f"{role_arn} is not authorized to perform: {need.action} on resource: {need.resource}",
        )


def is_allowed(role_arn: str, action: str, resource: str) -> bool:
    account = role_arn.split(":")[4]
    role_name = role_arn.rsplit("/", 1)[-1]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{role_name}/states",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=settings.REGION,
    )
    policies = iam_evaluator._gather_role_policies(role_name, account)
    return bool(iam_evaluator.evaluate(context, policies).decision == "Allow")


def needs_of(resource: str, arguments: Any) -> Iterator[Need]:
    """The rights that an optimized integration needs; none for what is not listed here."""
    service, _, action = resource.removeprefix("arn:aws:states:::").partition(":")
    given: Arguments = arguments if isinstance(arguments, dict) else {}
    if service == "lambda" and action.startswith("invoke"):
        function = _arn("lambda", "function:", given.get("FunctionName", ""))
        yield Need("lambda:InvokeFunction", function, "Lambda.AWSLambdaException")
    elif service == "batch" and action.startswith("submitJob"):
        yield from _batch_needs(given, waits=action.endswith(".sync"))
    elif service == "sns" and action.startswith("publish"):
        yield Need("sns:Publish", given.get("TopicArn", "*"), "SNS.AuthorizationErrorException")
    elif service == "states" and action.startswith("startExecution"):
        machine = given.get("StateMachineArn", "*")
        yield Need("states:StartExecution", machine, "StepFunctions.AWSStepFunctionsException")


def _batch_needs(given: Arguments, *, waits: bool) -> Iterator[Need]:
    for kind, member in (("job-queue/", "JobQueue"), ("job-definition/", "JobDefinition")):
        # Batch has no modelled exception for a missing right, so its general one is seen.
        resource = _arn("batch", kind, given.get(member, ""))
        yield Need("batch:SubmitJob", resource, "Batch.AWSBatchException")
    if waits:
        # A managed rule tells Step Functions of the end of a job.
        rule = _arn("events", "rule/", "StepFunctionsGetEventsForBatchJobsRule")
        for action in ("events:PutTargets", "events:PutRule", "events:DescribeRule"):
            yield Need(action, rule, "States.Runtime")


def _arn(service: str, kind: str, name: str) -> str:
    if name.startswith("arn:"):
        return name
    return f"arn:aws:{service}:{settings.REGION}:{settings.ACCOUNT_ID}:{kind}{name}"
