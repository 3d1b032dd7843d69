"""Builds the image of the jobs for a stack, pushes it, and tells the stack: `make worker-image`.

Needs Docker with buildx. The stack knows its repository and its processor, and refers to the image
by its digest, so what is pushed later changes nothing until the stack is told.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).parents[1]
PARAMETER = "WorkerImageUri"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


def push_image(stack_name: str) -> str:
    """Build, push, and update the stack; returns the image's address with its digest.

    Raises `subprocess.CalledProcessError` when Docker fails, which has said why.
    """
    cloudformation = boto3.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    repository = outputs["WorkerRepositoryUri"]
    log_in(repository.partition("/")[0])
    image = f"{repository}@{pushed_digest(repository, outputs['WorkerPlatform'])}"
    tell_stack(cloudformation, stack, image)
    return image


def log_in(registry: str) -> None:
    """Let Docker push to this account's registry."""
    answer = boto3.client("ecr").get_authorization_token()
    token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"])
    user, _, password = token.decode().partition(":")
    command = ["docker", "login", "--username", user, "--password-stdin", registry]
    subprocess.run(command, input=password, text=True, check=True)


def pushed_digest(repository: str, platform: str) -> str:
    """Build for a platform, on whatever machine this is, and push; returns the digest."""
    tag = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")  # tags of the repository never move
    with tempfile.TemporaryDirectory() as folder:
        metadata = Path(folder, "metadata.json")
        command = ["docker", "buildx", "build", "--platform", platform, "--provenance=false"]
        command += ["--push", "--tag", f"{repository}:{tag}", "--metadata-file", str(metadata)]
        command += ["--file", str(ROOT / "batch_worker" / "Dockerfile"), str(ROOT)]
        subprocess.run(command, check=True)
        digest: str = json.loads(metadata.read_text())["containerimage.digest"]
    return digest


def tell_stack(cloudformation: Any, stack: dict[str, Any], image: str) -> None:
    """Change the one parameter of the stack, unless it has this value."""
    known = {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}
    if known[PARAMETER] == image:
        return
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in known if name != PARAMETER]
    cloudformation.update_stack(
        StackName=stack["StackName"],
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": PARAMETER, "ParameterValue": image}, *kept],
        Capabilities=CAPABILITIES,
    )
    waiter = cloudformation.get_waiter("stack_update_complete")
    waiter.wait(StackName=stack["StackName"], WaiterConfig={"Delay": 5, "MaxAttempts": 360})


if __name__ == "__main__":
    sys.stdout.write(f"{push_image(sys.argv[1])}\n")
