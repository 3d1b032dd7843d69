"""Is the stack deployed, and is its image there?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from imagemill.deployed.checks.finding import Finding, broken, ok, unknown, warning
from imagemill.deployed.stack import DeployedStack

_OWN_IMAGE = re.compile(
    r"(?P<registry>\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)
_ABSENT = ("ImageNotFoundException", "RepositoryNotFoundException")
IMAGE, STACK = "worker image", "stack"
PUSH = "make worker-image"


def deployment(stack: DeployedStack) -> Iterator[Finding]:
    """The state of the stack; if it is not whole, the first resource that failed, and why."""
    if stack.status.endswith("_IN_PROGRESS"):
        yield warning(STACK, f"is {stack.status}", "Wait until it is deployed.")
    elif "FAILED" in stack.status or "ROLLBACK" in stack.status:
        fix = "Mend that and run `make deploy` again"
        if stack.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"):
            fix = f"Mend that, run `sam delete --stack-name {stack.name}`, then `make deploy`"
        text = f"is {stack.status}{_reason(stack)}"
        if stack.status == "UPDATE_ROLLBACK_COMPLETE":  # the former version is whole
            yield warning(STACK, text, f"{fix}, if you meant to change it.")
        else:
            yield broken(STACK, text, f"{fix}.")
    else:
        yield ok(STACK, f"{stack.name} is {stack.status}")


def worker_image(stack: DeployedStack) -> Iterator[Finding]:
    """The image that the jobs are started from."""
    if stack.clients.is_local:
        yield ok(IMAGE, "jobs are processes of this machine, which need none")
        return
    if not stack.parameters.get("WorkerImageUri"):
        yield broken(IMAGE, "there is none yet: uploads wait, and runs are refused", PUSH)
        return
    image = _image_of_jobs(stack)
    if image is None:
        yield broken(IMAGE, "the job definition is not there", "Run `make deploy`.")
        return
    found = _OWN_IMAGE.fullmatch(image)
    if found is None:
        yield unknown(IMAGE, f"{image} is in no repository of Amazon ECR")
        return
    key = "imageDigest" if found["digest"] else "imageTag"
    wanted = {key: found["digest"] or found["tag"] or "latest"}
    if _is_there(stack, found["registry"], found["repository"], wanted):
        yield ok(IMAGE, f"{image} is there")
        return
    yield broken(IMAGE, f"{image} is not there, so that no job can start", PUSH)


def _reason(stack: DeployedStack) -> str:
    events = stack.client("cloudformation").describe_stack_events(StackName=stack.name)
    failed = [
        event
        for event in events["StackEvents"]
        if event["ResourceStatus"].endswith("_FAILED")
        and event["LogicalResourceId"] != stack.name
        and "cancelled" not in event.get("ResourceStatusReason", "").lower()
    ]
    if not failed:
        return ""
    first = failed[-1]  # events come latest first
    return f": {first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason given')}"


def _image_of_jobs(stack: DeployedStack) -> str | None:
    definition = stack.resource("ResizeJobDefinition")
    if definition is None:
        return None
    answer: dict[str, Any] = stack.client("batch").describe_job_definitions(
        jobDefinitions=[definition]
    )
    found = answer["jobDefinitions"]
    return str(found[0]["containerProperties"]["image"]) if found else None


def _is_there(stack: DeployedStack, registry: str, repository: str, wanted: dict[str, str]) -> bool:
    try:
        answer = stack.client("ecr").describe_images(
            registryId=registry, repositoryName=repository, imageIds=[wanted]
        )
    except ClientError as error:
        if error.response["Error"].get("Code") in _ABSENT:
            return False
        raise
    return bool(answer["imageDetails"])
