"""A deployed stack: found by its name, with its outputs and its resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from imagemill.deployed.clients import Clients, plainly
from imagemill.errors import UsageError
from imagemill.options.stack import StackChoice


@dataclass(slots=True)
class DeployedStack:
    """What CloudFormation says of a stack.

    Attributes:
        clients: The way to it.
        name: Of the stack.
        status: CloudFormation's, such as CREATE_COMPLETE.
        outputs: Of its template.
        parameters: With which it was deployed.
    """

    clients: Clients
    name: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    _resources: dict[str, str] = field(default_factory=dict)

    @property
    def state_machine_arn(self) -> str:
        return self.outputs["StateMachineArn"]

    @property
    def input_bucket(self) -> str:
        return self.outputs["InputBucketName"]

    @property
    def output_bucket(self) -> str:
        return self.outputs["OutputBucketName"]

    @property
    def job_queue(self) -> str | None:
        """ARN of the queue that runs use, on machines or on Fargate."""
        return self.resource("JobQueue") or self.resource("FargateJobQueue")

    @property
    def job_queues(self) -> list[str]:
        """ARNs of all queues that runs use: models may have one of their own."""
        return [queue for queue in (self.job_queue, self.resource("GpuJobQueue")) if queue]

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return self.clients.client(service)

    def resource(self, logical_id: str) -> str | None:
        """The physical id of a resource; None if there is none. Raises UsageError."""
        if not self._resources:
            with plainly():
                pages = self.client("cloudformation").get_paginator("list_stack_resources")
                for page in pages.paginate(StackName=self.name):
                    for item in page["StackResourceSummaries"]:
                        physical_id = item.get("PhysicalResourceId", "")
                        self._resources[item["LogicalResourceId"]] = physical_id
        return self._resources.get(logical_id) or None


def deployed_stack(choice: StackChoice) -> DeployedStack:
    """The stack of that name. Raises UsageError, with what to do, if there is no such stack."""
    clients = Clients(choice)
    described = _described(clients, choice.name)
    outputs = {item["OutputKey"]: item["OutputValue"] for item in described.get("Outputs", ())}
    parameters = {
        item["ParameterKey"]: item.get("ParameterValue", "")
        for item in described.get("Parameters", ())
    }
    if outputs and "StateMachineArn" not in outputs:
        raise UsageError(f'--stack: "{choice.name}" is no stack of imagemill.')
    return DeployedStack(clients, choice.name, described["StackStatus"], outputs, parameters)


def usable_stack(choice: StackChoice) -> DeployedStack:
    """The stack of that name, which has been deployed to its end. Raises UsageError."""
    stack = deployed_stack(choice)
    if "StateMachineArn" not in stack.outputs:
        raise UsageError(
            f'--stack: "{stack.name}" is {stack.status} and cannot run anything; '
            "`imagemill doctor` says why."
        )
    return stack


def _described(clients: Clients, name: str) -> Mapping[str, Any]:
    with plainly():
        try:
            stacks = clients.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            stacks = []
    if not stacks:
        where = clients.endpoint or clients.region
        raise UsageError(
            f'--stack: there is no stack "{name}" in {where}. Deploy one as docs/deploy.md says, '
            "or choose another by --stack, --region, --profile or --endpoint-url."
        )
    described: Mapping[str, Any] = stacks[0]
    return described
