"""What README and the other pages say is what the code has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer.main

from imagemill.cli import app
from imagemill.commands.up import guide_of
from imagemill_contract.outcomes import Status
from imagemill_contract.recipe import Recipe
from imagemill_contract.request import RunRequest
from tests.helpers.stack_template import template

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def section(title: str) -> str:
    return README.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_recipe_table_has_every_field_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| `?([^|`]+)`? \|$", section("The recipe"), re.M)
    assert dict(rows) == {
        name: json.dumps(value).strip('"') for name, value in Recipe().to_document().items()
    }


def test_options_in_readme_exist() -> None:
    commands = getattr(typer.main.get_command(app), "commands").values()  # noqa: B009 # of a group
    known = {flag for command in commands for item in command.params for flag in item.opts}
    for block in re.findall(r"^.*imagemill.*$", README, re.M):
        assert set(re.findall(r"(--[a-z-]+)", block)) - {"--input", "--platform"} <= known, block
    table = re.findall(r"^\| `(--[a-z-]+)", section("Which pictures, and what again"), re.M)
    assert set(re.findall(r"`(--[a-z-]+)", section("Which pictures, and what again"))) <= known
    assert table


@pytest.mark.parametrize("name", ["exclude", "include_globs", "limit", "manifest", "prune"])
def test_field_in_readme_is_a_field_of_a_request(name: str) -> None:
    assert f"`{name}`" in README
    document = {"source": "s3://bucket/full/", name: object()}
    with pytest.raises(ValueError, match=f"^{name}: "):
        RunRequest.from_document(document, allow_files=False)


def test_parameters_and_outputs_in_readme_are_those_of_the_template() -> None:
    aws = section("On AWS")
    for name in ("InputBucketName", "StateMachineArn", "WorkerRepositoryUri"):
        assert name in aws
        assert name in template()["Outputs"]
    for name in re.findall(r"`([A-Z]\w+(?:Prefix|Seconds|Name))`", aws):
        assert name in {**template()["Parameters"], **template()["Outputs"]}, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_vocabulary_names_every_status() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    assert all(f"`{status}`" in architecture for status in Status)


def test_guide_prints_commands_that_are_whole() -> None:
    class Engine:
        endpoint_url = "http://127.0.0.1:1"
        region = "us-east-1"

    class Stack:
        engine = Engine()
        input_bucket, output_bucket, state_machine_arn = "in", "out", "arn"

    guide = guide_of(Stack())  # type: ignore[arg-type] # has what the guide names
    assert "aws s3 cp PHOTOS s3://in/full/ --recursive" in guide
    (text,) = re.findall(r"--input '(.*)'", guide)
    assert json.loads(text) == {"source": "s3://in/full/"}
