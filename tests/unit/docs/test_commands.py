"""Every command line in the pages is one that the programs take."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import typer.main

from imagemill.cli import app
from imagemill.commands.up import guide_of
from imagemill.options.recipe import recipe_from
from imagemill.project import ROOT
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest
from tests.helpers.cli_page import commands
from tests.helpers.pages import PAGES, codes, command_lines, page_id, plain, section, table, text_of

TOOL = typer.main.get_command(app)
COMMANDS = commands()
OPTIONS_OF_ALL = {flag for item in TOOL.params for flag in item.opts} | {"--help"}
WITHOUT_ARGUMENTS = {
    name for name, command in COMMANDS.items() if not any(item.required for item in command.params)
}
RECIPE_FIELDS = set(Recipe().to_document())


COMMAND_LINES = [
    (page_id(page), words) for page in PAGES for words in command_lines(page.read_text("utf-8"))
]
TOOL_LINES = [
    (page, words[1:])
    for page, words in COMMAND_LINES
    if words[0] in ("imagemill", ".venv/bin/imagemill")
    and len(words) > 1
    # which tests/integration/test_own_stage.py runs, with the stage that the page adds
    and page != "docs/stages.md"
]
MODULES = [
    (page, words[words.index("-m") + 1])
    for page, words in COMMAND_LINES
    if "-m" in words and words[0].rpartition("/")[2].startswith("python")
]
INPUTS = [
    (page, words[words.index("--input") + 1])
    for page, words in COMMAND_LINES
    if words[0] == "aws" and "--input" in words[:-1]
]


RECIPE_ROWS = table(text_of("docs/recipe.md"), "field")
PACKED_ROWS = table(section(text_of("docs/recipe.md"), "Packed datasets"), "field")


def split(words: list[str]) -> tuple[str, list[str]]:
    """The command that is typed, such as `recipe check`, and what follows it."""
    length = 2 if " ".join(words[:2]) in COMMANDS else 1
    return " ".join(words[:length]), words[length:]


def recipe_of(words: list[str]) -> Recipe:
    """The recipe that a command asks for. Raises for options or values that are not taken."""
    name, arguments = split(words)
    context = COMMANDS[name].make_context(name, arguments)
    typed = {field: context.params[field] for field in RECIPE_FIELDS & set(context.params)}
    return recipe_from(None, typed)


def flags_of(command: str) -> set[str]:
    """The options of a command, with their dashes."""
    params = COMMANDS[command].params
    return {flag for item in params for flag in item.opts + item.secondary_opts if "--" in flag}


@pytest.mark.parametrize(("page", "words"), TOOL_LINES, ids=str)
def test_command_of_the_tool_parses(page: str, words: list[str]) -> None:
    name, arguments = split(words)
    if name in OPTIONS_OF_ALL:
        return
    assert name in COMMANDS
    if arguments == ["--help"] or (not arguments and name not in WITHOUT_ARGUMENTS):
        return  # it is only named
    recipe_of(words)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_options_that_a_page_names_exist(page: Path) -> None:
    known = set().union(*map(flags_of, COMMANDS))
    known |= {"--shard", "--input", "--help"}  # of the worker, of the AWS command line, of all
    for words in map(str.split, codes(page.read_text("utf-8"))):
        if words and words[0].startswith("--"):
            assert {word for word in words if word.startswith("--")} <= known, words


@pytest.mark.parametrize("row", RECIPE_ROWS, ids=lambda row: plain(row["field"]))
def test_example_of_a_recipe_field_sets_it(row: dict[str, str]) -> None:
    name, example = plain(row["field"]), plain(row["example"])
    if example.startswith("--"):
        beside = ["--output", "parquet"] if row in PACKED_ROWS and name != "output" else []
        recipe = recipe_of(["run", "PHOTOS", "OUT", *shlex.split(example), *beside])
    else:
        recipe = Recipe.from_document(json.loads("{" + example + "}"))
    assert getattr(recipe, name) != getattr(Recipe(), name)


def test_pages_show_every_command_of_the_tool() -> None:
    named = [split(words) for _, words in TOOL_LINES]
    shown = {name for name, arguments in named if arguments or name in WITHOUT_ARGUMENTS}
    assert shown - OPTIONS_OF_ALL == set(COMMANDS)


def test_make_targets_in_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.M))
    named = {
        word
        for _, words in COMMAND_LINES
        if words[0] == "make"
        for word in words[1:]
        if "=" not in word
    }
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize(("page", "module"), MODULES, ids=str)
def test_module_that_a_page_starts_exists(page: str, module: str) -> None:
    path = module.replace(".", "/")
    places = [f"{path}.py", f"{path}/__main__.py", f"batch_worker/{path}/__main__.py"]
    assert module in ("pytest", "benchmarks.NAME") or any((ROOT / name).exists() for name in places)


@pytest.mark.parametrize(("page", "text"), INPUTS, ids=str)
def test_input_of_an_execution_is_a_request(page: str, text: str) -> None:
    text = text.replace("INPUT_BUCKET", "input-bucket")
    assert RunRequest.from_document(json.loads(text), allow_files=False).source is not None


def test_example_of_a_recipe_file_is_a_recipe(tmp_path: Path) -> None:
    (body,) = re.findall(r"```toml\n(.*?)```", text_of("docs/recipe.md"), re.S)
    path = tmp_path / "recipe.toml"
    path.write_text(body)
    assert recipe_from(path, {}).size == 256


def test_options_that_choose_pictures_are_those_of_the_tool() -> None:
    rows = table(text_of("docs/planning.md"), "option")
    dashed = {name.replace("_", "-") for name in RECIPE_FIELDS}
    of_recipe = {"--recipe"} | {f"--{no}{name}" for name in dashed for no in ("", "no-")}
    others = flags_of("run") - of_recipe - {"--vcpus", "--json"}
    assert {plain(row["option"]) for row in rows} == others
    for row in rows:
        assert plain(row["option"]) in row["example"]
        recipe_of(["run", "PHOTOS", "OUT", *shlex.split(plain(row["example"]))])


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
