"""May AWS Batch start machines? The compute environments, the queue and the account's limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from imagemill.deployed.checks.environment import Document, environments_of, name_in, queue_of
from imagemill.deployed.checks.finding import Finding, broken, ok, warning
from imagemill.deployed.stack import DeployedStack

ENVIRONMENT, QUEUE, LIMIT = "compute environment", "job queue", "vCPU limit"
QUOTAS_PAGE = "https://console.aws.amazon.com/servicequotas/home/services"


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit of the account, in vCPUs: which machines it is about, and how AWS calls it."""

    machines: str
    service: str
    code: str


# By the type of the compute environment. https://docs.aws.amazon.com/ec2/latest/instancetypes/
QUOTAS = {
    "SPOT": Quota("Spot", "ec2", "L-34B43A08"),
    "EC2": Quota("On-Demand", "ec2", "L-1216C47A"),
}


def compute_environment(stack: DeployedStack) -> Iterator[Finding]:
    """Whether machines can be started, and if not, in the words of AWS Batch."""
    found = environments_of(stack)
    if not found:
        yield broken(ENVIRONMENT, "there is none", "Run `make deploy`.")
    for environment in found:
        yield from _faults_of(environment)


def job_queue(stack: DeployedStack) -> Iterator[Finding]:
    """Whether the queue takes jobs and gives them to the compute environments."""
    queue = queue_of(stack)
    if queue is None:
        yield broken(QUEUE, "there is none", "Run `make deploy`.")
        return
    is_disabled = queue["state"] == "DISABLED"
    if is_disabled:
        yield broken(
            QUEUE,
            "is DISABLED, so that no job can be submitted",
            f"aws batch update-job-queue --state ENABLED --job-queue {queue['jobQueueName']}",
        )
    if queue.get("status") == "INVALID":
        reason = queue.get("statusReason") or "no reason given"
        yield broken(QUEUE, f"is INVALID: {reason}", "Mend what it names, or run `make deploy`.")
    elif not is_disabled:
        yield ok(QUEUE, f"is {queue['state']} and {queue.get('status', 'VALID')}")


def vcpu_limit(stack: DeployedStack) -> Iterator[Finding]:
    """Whether the account may start as many vCPUs as the stack wants."""
    if stack.clients.is_local:
        return
    for environment in environments_of(stack):
        quota = QUOTAS.get(environment.get("computeResources", {}).get("type", ""))
        if quota:
            answer = stack.client("service-quotas").get_service_quota(
                ServiceCode=quota.service, QuotaCode=quota.code
            )
            yield _compared(quota, answer["Quota"]["Value"], _most(environment))


def _faults_of(environment: Document) -> Iterator[Finding]:
    name = name_in(environment["computeEnvironmentName"])
    reason = environment.get("statusReason") or "no reason given"
    is_disabled, status = environment.get("state") == "DISABLED", environment.get("status", "VALID")
    if is_disabled:
        yield broken(
            ENVIRONMENT,
            f"{name} is DISABLED, so that no machine is started",
            f"aws batch update-compute-environment --state ENABLED --compute-environment {name}",
        )
    if _most(environment) < 1:
        yield broken(
            ENVIRONMENT,
            f"{name} may use 0 vCPUs, so that no machine is started",
            "sam deploy --parameter-overrides MaxvCpus=256",
        )
    if status == "INVALID":
        yield broken(
            ENVIRONMENT,
            f"{name} is INVALID: {reason}",
            "Mend what it names, then disable and enable it: AWS Batch checks it again.",
        )
    elif status != "VALID":
        yield warning(ENVIRONMENT, f"{name} is {status}: {reason}", "Wait until it is VALID.")
    elif not is_disabled:
        yield ok(
            ENVIRONMENT, f"{name} is ENABLED and VALID, for {_most(environment)} vCPUs at most"
        )


def _compared(quota: Quota, allowed: float, wanted: int) -> Finding:
    fix = f"Ask for more: {QUOTAS_PAGE}/{quota.service}/quotas/{quota.code}"
    may = f"the account may start {allowed:.0f} {quota.machines} vCPUs"
    if allowed < 1:
        return broken(LIMIT, f"the account may start no {quota.machines} vCPU in this region", fix)
    if allowed < wanted:
        return warning(LIMIT, f"{may}, and the stack would use {wanted}", fix)
    return ok(LIMIT, may)


def _most(environment: Document) -> int:
    return int(environment.get("computeResources", {}).get("maxvCpus", 0))
