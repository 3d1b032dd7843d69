"""All checks of a stack, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from imagemill.deployed.checks.capacity import compute_environment, job_queue, vcpu_limit
from imagemill.deployed.checks.deployment import deployment, worker_image
from imagemill.deployed.checks.finding import Finding, unknown
from imagemill.deployed.checks.network import network
from imagemill.deployed.checks.uploads import lost_uploads, uploads
from imagemill.deployed.checks.work import jobs, last_run
from imagemill.deployed.clients import plainly
from imagemill.deployed.stack import DeployedStack
from imagemill.errors import ToolError

Check = Callable[[DeployedStack], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    worker_image,
    compute_environment,
    job_queue,
    vcpu_limit,
    network,
    jobs,
    uploads,
    lost_uploads,
    last_run,
)


def findings(stack: DeployedStack) -> Iterator[Finding]:
    """What all checks find. What may not be asked, or does not answer, is unknown."""
    yield from _found(deployment, stack)
    if "StateMachineArn" not in stack.outputs:  # there is nothing else to look at yet
        return
    for check in CHECKS:
        yield from _found(check, stack)


def _found(check: Check, stack: DeployedStack) -> list[Finding]:
    try:
        with plainly():
            return list(check(stack))
    except ToolError as error:
        return [unknown(check.__name__.replace("_", " "), str(error))]
