"""What a job is started with: its image is pulled, and its log is opened, by its execution role."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagemill_engine.batch.job import StartError
from imagemill_engine.batch.spec import JobSpec
from imagemill_engine.hooks.rights.policies import Right, log_rights, missing

# An image of a private registry of AWS: account, region, name of the repository.
PRIVATE_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+)")
PULL_ACTIONS = (
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchCheckLayerAvailability",
)


def check_start(spec: JobSpec) -> None:
    """Raises StartError when the execution role of a job may not do what starts it.

    A definition without such a role is started by its machine's own role, which is not known here.
    """
    if not spec.execution_role_arn:
        return
    for action, resource in missing(spec.execution_role_arn, rights_of(spec)):
        raise StartError(
            f"{spec.execution_role_arn} is not authorized to perform: {action} "
            f"on resource: {resource}"
        )


def rights_of(spec: JobSpec) -> Iterator[Right]:
    """The rights that it takes to start a job."""
    yield from log_rights(spec.log.group, spec.log.stream_prefix)
    if image := PRIVATE_IMAGE.match(spec.image):
        account, region, name = image.groups()
        yield "ecr:GetAuthorizationToken", "*"
        repository = f"arn:aws:ecr:{region}:{account}:repository/{name}"
        yield from ((action, repository) for action in PULL_ACTIONS)
