"""The real SAM CLI and the real AWS CLI against `imagemill up`, with this repository's samconfig.

Run by `make check-deploy`, which installs both; needs a Python 3.13 for `sam build`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from imagemill.project import ROOT
from tests.helpers.photographs import write_pictures

pytestmark = pytest.mark.deploy

SAM = ROOT / ".venvs" / "sam" / "bin" / "sam"
AWS = ROOT / ".venvs" / "aws" / "bin" / "aws"
IMAGE, NEWER_IMAGE = (f"WorkerImageUri=this-machine@sha256:{digit * 64}" for digit in "01")
# the upload comes as one batch of messages, and so as one run
PARAMETERS = (
    IMAGE,
    "Architecture=x86_64",
    "MaxvCpus=2",
    "UploadWindowSeconds=2",
    "BatchingWindowSeconds=5",
)


def python313_folder() -> Path:
    """A folder with a python3.13 that runs: on the PATH, or among pyenv's versions."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which("python3.13")
    candidates = sorted(pyenv.glob("3.13.*/bin/python3.13"))
    candidates += [Path(on_path)] if on_path else []
    for candidate in candidates:
        if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate.parent
    pytest.fail("sam build needs a Python 3.13 on the PATH: the functions' runtime is python3.13.")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    command = [str(Path(sys.executable).with_name("imagemill")), "up"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        first = up.stdout.readline()
        assert first.startswith("endpoint"), first
        yield first.split()[1]
        up.send_signal(signal.SIGTERM)
        up.stdout.close()
    assert up.returncode == 128 + signal.SIGTERM


@pytest.fixture(scope="module")
def environment(endpoint: str) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{python313_folder()}:{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SAM_CLI_TELEMETRY": "0",
    }


def output_of(command: list[object], environment: Mapping[str, str]) -> str:
    ended = subprocess.run(
        [str(part) for part in command],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def outputs(environment: dict[str, str]) -> dict[str, str]:
    """Outputs of the stack that `sam deploy` has made."""
    output_of([SAM, "validate", "--lint"], environment)
    output_of([SAM, "build", "--parameter-overrides", *PARAMETERS], environment)
    output_of([SAM, "deploy", "--parameter-overrides", *PARAMETERS], environment)
    stacks = json.loads(aws_text(environment, "cloudformation", "describe-stacks"))["Stacks"]
    (stack,) = [item for item in stacks if item["StackName"] == "imagemill"]
    assert stack["StackStatus"].endswith("_COMPLETE")
    return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}


def aws_text(environment: Mapping[str, str], *arguments: object) -> str:
    return output_of([AWS, "--output", "json", *arguments], environment)


def description(environment: Mapping[str, str], arn: str) -> dict[str, Any]:
    text = aws_text(environment, "stepfunctions", "describe-execution", "--execution-arn", arn)
    described: dict[str, Any] = json.loads(text)
    return described


def ended(environment: Mapping[str, str], arn: str) -> dict[str, Any]:
    deadline = time.monotonic() + 300
    while (described := description(environment, arn))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the run does not end"
        time.sleep(0.5)
    return described


def test_uploaded_pictures_start_a_run_that_succeeds(
    environment: dict[str, str], outputs: dict[str, str], tmp_path: Path
) -> None:
    write_pictures(tmp_path, 20)
    bucket, machine = outputs["InputBucketName"], outputs["StateMachineArn"]
    list_runs = ("stepfunctions", "list-executions", "--state-machine-arn", machine)

    aws_text(environment, "s3", "cp", tmp_path, f"s3://{bucket}/full/", "--recursive")
    deadline = time.monotonic() + 60
    while not (runs := json.loads(aws_text(environment, *list_runs))["executions"]):
        assert time.monotonic() < deadline, "no run starts"
        time.sleep(0.5)

    written = 0
    for run in runs:
        end = ended(environment, run["executionArn"])
        assert end["status"] == "SUCCEEDED", end
        written += json.loads(end["output"])["stages"]["edge"]["written"]
    assert written == 20
    listed = aws_text(environment, "s3", "ls", f"s3://{outputs['OutputBucketName']}/edges/")
    assert len(listed.splitlines()) == 20


def started(environment: Mapping[str, str], outputs: Mapping[str, str], request: object) -> str:
    machine = outputs["StateMachineArn"]
    words = ("start-execution", "--state-machine-arn", machine, "--input", json.dumps(request))
    arn: str = json.loads(aws_text(environment, "stepfunctions", *words))["executionArn"]
    return arn


def test_execution_by_hand_succeeds_and_its_history_is_true(
    environment: dict[str, str], outputs: dict[str, str], tmp_path: Path
) -> None:
    write_pictures(tmp_path, 3)
    bucket = outputs["InputBucketName"]
    aws_text(environment, "s3", "cp", tmp_path, f"s3://{bucket}/hand/", "--recursive")
    request = {"source": f"s3://{bucket}/hand/", "recipe": {"size": 64}}
    arn = started(environment, outputs, request)

    end = ended(environment, arn)

    assert end["status"] == "SUCCEEDED", end
    assert json.loads(end["output"])["stages"]["resize"]["written"] == 3
    history = aws_text(
        environment, "stepfunctions", "get-execution-history", "--execution-arn", arn
    )
    types = [event["type"] for event in json.loads(history)["events"]]
    assert (types[0], types[-1]) == ("ExecutionStarted", "ExecutionSucceeded")


def images_of_jobs(environment: Mapping[str, str]) -> set[str]:
    """The images of the job definitions that are in force, each stage's newest."""
    text = aws_text(environment, "batch", "describe-job-definitions", "--status", "ACTIVE")
    newest: dict[str, tuple[int, str]] = {}
    for item in json.loads(text)["jobDefinitions"]:
        revision = (item["revision"], item["containerProperties"]["image"])
        newest[item["jobDefinitionName"]] = max(
            newest.get(item["jobDefinitionName"], (0, "")), revision
        )
    return {image for _, image in newest.values()}


def test_a_run_goes_on_while_the_stack_is_updated(
    environment: dict[str, str], outputs: dict[str, str], tmp_path: Path
) -> None:
    write_pictures(tmp_path, 200)
    bucket = outputs["InputBucketName"]
    aws_text(environment, "s3", "cp", tmp_path, f"s3://{bucket}/long/", "--recursive")
    # what earlier tests have done under the same names is done again
    request = {"source": f"s3://{bucket}/long/", "shards": 200, "full": True}
    arn = started(environment, outputs, request)

    changed = [NEWER_IMAGE, "LogRetentionDays=7", *PARAMETERS[1:]]
    output_of([SAM, "deploy", "--parameter-overrides", *changed], environment)

    assert description(environment, arn)["status"] == "RUNNING", "the run was too short to tell"
    assert images_of_jobs(environment) == {NEWER_IMAGE.partition("=")[2]}
    end = ended(environment, arn)
    assert end["status"] == "SUCCEEDED", end
    assert json.loads(end["output"])["stages"]["edge"]["written"] == 200


def test_sam_delete_leaves_the_buckets_with_what_is_in_them(
    environment: dict[str, str], outputs: dict[str, str]
) -> None:
    output_of([SAM, "delete", "--stack-name", "imagemill", "--no-prompts"], environment)

    stacks = json.loads(aws_text(environment, "cloudformation", "describe-stacks"))["Stacks"]
    assert "imagemill" not in {item["StackName"] for item in stacks}
    machines = json.loads(aws_text(environment, "stepfunctions", "list-state-machines"))
    assert machines["stateMachines"] == []
    kept = outputs["KeptBuckets"].split()
    assert kept == [outputs["InputBucketName"], outputs["OutputBucketName"]]
    for bucket in kept:
        assert aws_text(environment, "s3", "ls", f"s3://{bucket}/", "--recursive")
