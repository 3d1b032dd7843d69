"""Builds an image of jobs for a stack, pushes it, and tells the stack.

`make worker-image` does so for most jobs, `make model-image` for those that run neural networks.

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
# By what the image is for: its parameter of the stack, and its Dockerfile.
IMAGES = {
    "worker": ("WorkerImageUri", "Dockerfile"),
    "model": ("ModelImageUri", "model.Dockerfile"),
}
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


def push_image(stack_name: str, kind: str = "worker") -> str:
    """Build, push, and update the stack; returns the image's address with its digest.

    `kind` is one of `IMAGES`.

    Raises `subprocess.CalledProcessError` when Docker fails, which has said why.
    """
    cloudformation = boto3.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    repository = outputs["WorkerRepositoryUri"]
    parameter, dockerfile = IMAGES[kind]
    log_in(repository.partition("/")[0])
    image = f"{repository}@{pushed_digest(repository, outputs['WorkerPlatform'], dockerfile)}"
    tell_stack(cloudformation, stack, parameter, image)
    return image


def log_in(registry: str) -> None:
    """Let Docker push to this account's registry."""
    answer = boto3.client("ecr").get_authorization_token()
    token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"])
    user, _, password = token.decode().partition(":")
    command = ["docker", "login", "--username", user, "--password-stdin", registry]
    subprocess.run(command, input=password, text=True, check=True)


def pushed_digest(repository: str, platform: str, dockerfile: str) -> str:
    """Build for a platform, on whatever machine this is, and push; returns the digest."""
    tag = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")  # tags of the repository never move
    with tempfile.TemporaryDirectory() as folder:
        metadata = Path(folder, "metadata.json")
        command = ["docker", "buildx", "build", "--platform", platform, "--provenance=false"]
        command += ["--push", "--tag", f"{repository}:{tag}", "--metadata-file", str(metadata)]
        command += ["--file", str(ROOT / "batch_worker" / dockerfile), str(ROOT)]
        subprocess.run(command, check=True)
        digest: str = json.loads(metadata.read_text())["containerimage.digest"]
    return digest


def tell_stack(cloudformation: Any, stack: dict[str, Any], parameter: str, image: str) -> None:
    """Change one parameter of the stack, unless it has this value."""
    known = {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}
    if known[parameter] == image:
        return
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in known if name != parameter]
    cloudformation.update_stack(
        StackName=stack["StackName"],
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": parameter, "ParameterValue": image}, *kept],
        Capabilities=CAPABILITIES,
    )
    waiter = cloudformation.get_waiter("stack_update_complete")
    waiter.wait(StackName=stack["StackName"], WaiterConfig={"Delay": 5, "MaxAttempts": 360})


if __name__ == "__main__":
    sys.stdout.write(f"{push_image(*sys.argv[1:])}\n")
