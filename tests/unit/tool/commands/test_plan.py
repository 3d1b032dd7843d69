from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    DataNotFoundError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)
from rich.console import Console
from typer.testing import CliRunner

from imagemill.cli import app
from imagemill.commands import plan as plan_command
from imagemill.commands.plan import planned_bucket
from imagemill.deployed import clients
from imagemill.display.plan import print_plan, print_table
from imagemill.errors import RunFailedError, UsageError
from imagemill.execution import start_run
from imagemill.options.filters import Filters
from imagemill.options.stack import StackChoice
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:machine"
PLAN: dict[str, Any] = {
    "run_id": "run-1",
    "source": "s3://bucket/full/[old]/",
    "objects": 12_345,
    "bytes": 8_000_000_000,
    "shards": 3,
    "refused": 2,
    "to_do": {"new": 12_000, "recipe changed: size 256 -> 512": 345},
    "done": {"unchanged": 7},
    "ignored": {"not a picture by its name": 1, "named by exclude": 9},
    "deleted": 4,
    "estimate": {
        "parallel_jobs": 3,
        "minutes": 1.25,
        "dollars": {"vcpu": 0.01, "get": 0.02, "put": 0.12},
        "total_dollars": 0.15,
    },
}


CHOICE = StackChoice(region="us-east-1")


@dataclass
class Aws:
    """CloudFormation and Step Functions as far as the command asks them."""

    outputs: dict[str, str] = field(default_factory=lambda: {"StateMachineArn": MACHINE})
    started: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None
    end: dict[str, str] = field(
        default_factory=lambda: {"status": "SUCCEEDED", "output": json.dumps(PLAN)}
    )

    @property
    def region_name(self) -> str:
        return "us-east-1"

    def Session(self, **_names: str) -> Aws:  # boto3's own name
        return self

    def client(self, _service: str, **_options: Any) -> Aws:
        return self

    def describe_stacks(self, **_names: str) -> dict[str, Any]:
        if self.error:
            raise self.error
        outputs = [{"OutputKey": key, "OutputValue": text} for key, text in self.outputs.items()]
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Outputs": outputs}]}

    def start_execution(self, **request: str) -> dict[str, str]:
        self.started.append(request)
        return {"executionArn": "arn"}

    def describe_execution(self, **_names: str) -> dict[str, str]:
        return self.end


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    fake = Aws()
    monkeypatch.setattr(clients, "boto3", fake)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(plan_command, "POLL_SECONDS", 0)
    return fake


def shown(plan: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=120)
    print_table(console, plan)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_plan_says_what_it_takes_and_what_is_left_out_and_why() -> None:
    text = shown(PLAN)
    for line in (
        "plan of s3://bucket/full/[old]/",
        "to do: 12,000 new",
        "to do: 345 recipe changed: size 256 -> 512",
        "left out: 7 unchanged",
        "left out: 1 not a picture by its name",
        "left out: 9 named by exclude",
        "refused: 2 that no job can be given",
        "deleted at the source since: 4",
    ):
        assert line in text
    for name, value in (("objects", "12,345"), ("shards", "3"), ("estimated minutes", "1.2")):
        assert any(name in line and value in line for line in text.splitlines())
    for amount in ("0.0100", "0.0200", "0.1200", "0.1500"):
        assert amount in text


def test_plan_of_nothing_is_shown() -> None:
    nothing = {**PLAN, "objects": 0, "to_do": {}, "done": {}, "ignored": {}, "refused": 0}
    assert "left out" not in shown({**nothing, "deleted": 0})


def test_text_for_machines_is_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    print_plan(PLAN, as_json=True)
    assert json.loads(capsys.readouterr().out) == PLAN


def test_bucket_is_planned_by_the_stack_with_a_request_that_it_accepts(aws: Aws) -> None:
    filters = Filters(include=["*.jpg"], min_bytes="1kB", limit=5, full=True)
    plan = planned_bucket("s3://bucket/full/", CHOICE, Recipe(size=64), filters, more={})
    assert plan == PLAN
    (started,) = aws.started
    assert started["stateMachineArn"] == MACHINE
    request = RunRequest.from_document(json.loads(started["input"]), allow_files=False)
    assert (request.dry_run, request.full, request.recipe.size) == (True, True, 64)
    selection = request.selection
    assert (selection.include_globs, selection.min_bytes, selection.limit) == (("*.jpg",), 1000, 5)


def test_exclude_file_is_read_where_it_is_or_travels_to_the_bucket(tmp_path: Path) -> None:
    (tmp_path / "exclude.txt").write_text("a\n\n b c \n")
    filters = Filters(exclude=str(tmp_path / "exclude.txt"))
    assert filters.to_fields(of_bucket=True) == {"exclude": ["a", "b c"]}
    assert filters.to_fields() == {"exclude": f"file://{tmp_path}/exclude.txt"}
    address = {"exclude": "s3://bucket/exclude.txt"}
    assert Filters(exclude="s3://bucket/exclude.txt").to_fields(of_bucket=True) == address


def test_request_that_is_too_long_is_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="give its s3:// address"):
        start_run(None, "arn", {"exclude": ["x" * 100] * 3000})


def test_manifest_of_this_machine_becomes_its_address(tmp_path: Path) -> None:
    (tmp_path / "my list.csv").touch()
    fields = Filters(manifest=str(tmp_path / "my list.csv")).to_fields()
    assert fields == {"manifest": f"file://{tmp_path.resolve()}/my%20list.csv"}
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/link").symlink_to(tmp_path / "my list.csv")
    assert Filters(manifest=str(tmp_path / "elsewhere/link")).to_fields() == fields
    assert Filters(manifest="s3://bucket/list.csv").to_fields() == {
        "manifest": "s3://bucket/list.csv"
    }


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        (Filters(manifest="absent.csv"), '--manifest: "absent.csv" is not a file'),
        (Filters(exclude="absent.txt"), '--exclude: "absent.txt" is not a file'),
    ],
)
def test_file_that_is_not_there_is_named(filters: Filters, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        filters.to_fields()


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (NoRegionError(), UsageError, "No AWS region is set. Give --region or --profile, or set"),
        (NoCredentialsError(), UsageError, "There are no AWS credentials. Give --profile, or set"),
        (
            refusal("ValidationError", "Stack with id absent does not exist"),
            UsageError,
            '--stack: there is no stack "absent" in',
        ),
        (refusal("ExpiredToken", "x"), UsageError, "The AWS credentials have expired. Sign in"),
        (
            refusal("AccessDenied", "no rights."),
            UsageError,
            "AWS denies DescribeStacks: no rights.",
        ),
        (
            refusal("InvalidClientTokenId", "x"),
            UsageError,
            "AWS does not know these credentials.",
        ),
        (
            refusal("InternalFailure", "It broke"),
            RunFailedError,
            "AWS refuses DescribeStacks: It broke.",
        ),
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
            RunFailedError,
            'AWS does not answer: Could not connect to the endpoint URL: "http://127.0.0.1:9"',
        ),
        (DataNotFoundError(data_path="x"), UsageError, "AWS cannot be asked: Unable to load data"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_stack_that_cannot_be_asked_is_one_sentence_that_says_what_to_do(
    aws: Aws, error: Exception, kind: type[Exception], sentence: str
) -> None:
    aws.error = error
    with pytest.raises(kind, match=f"^{re.escape(sentence)}") as raised:
        planned_bucket("s3://bucket/full/", StackChoice("absent"), Recipe(), Filters(), more={})
    assert str(raised.value).endswith((".", "?"))
    assert ".." not in str(raised.value)


def test_folder_of_results_is_refused_beside_a_bucket(aws: Aws) -> None:
    with pytest.raises(UsageError, match="OUT: is only for folders"):
        CliRunner().invoke(app, ["plan", "s3://bucket/full/", "out"], catch_exceptions=False)
    assert aws.started == []


def test_bad_request_for_a_bucket_is_refused_before_the_stack_is_asked(aws: Aws) -> None:
    with pytest.raises(UsageError, match="limit: 0 is not allowed"):
        planned_bucket("s3://bucket/full/", CHOICE, Recipe(), Filters(limit=0), more={})
    assert aws.started == []


def test_stack_of_something_else_is_named(aws: Aws) -> None:
    aws.outputs = {"Website": "x"}
    with pytest.raises(UsageError, match='--stack: "other" is no stack of imagemill'):
        planned_bucket("s3://bucket/full/", StackChoice("other"), Recipe(), Filters(), more={})


def test_refusal_is_shown_as_it_is(aws: Aws) -> None:
    aws.end = {"status": "FAILED", "error": "RunRefused", "cause": "source: there is no bucket."}
    with pytest.raises(UsageError, match="source: there is no bucket"):
        planned_bucket("s3://bucket/full/", CHOICE, Recipe(), Filters(), more={})


def test_command_prints_the_plan_for_machines(aws: Aws) -> None:
    result = CliRunner().invoke(app, ["plan", "s3://bucket/full/", "--json", "--limit", "3"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == PLAN
    assert json.loads(aws.started[0]["input"])["limit"] == 3
