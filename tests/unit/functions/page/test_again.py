"""The command that a page shows does again what it stands beside, where it can."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer.main

from imagemill import cli
from imagemill_app.page.again import retry_command
from imagemill_contract.recipe import Recipe

FOLDERS = {"source": "file:///home/me/my%20photos/", "output": "file:///home/me/out/"}


def report(**fields: Any) -> dict[str, Any]:
    recipe = Recipe.from_document(fields.pop("recipe", {}), "recipe").to_document()
    places = {"source": "s3://input/full/", "output": "s3://output/"}
    return {"run_id": "run-1", **places, **fields, "recipe": recipe}


def test_a_run_of_a_stack_is_retried_by_its_name() -> None:
    assert retry_command(report(), "truncated") == "imagemill retry run-1 --reason truncated"


def test_a_run_over_a_folder_is_run_again_with_the_options_that_say_something() -> None:
    recipe = {"size": 64, "to_srgb": False, "keep_grey": True, "split": {"a": 0.5, "b": 0.5}}
    recipe["output"] = "parquet"
    words = shlex.split(retry_command(report(**FOLDERS, recipe=recipe), "truncated"))
    assert words[:4] == ["imagemill", "run", "/home/me/my photos", "/home/me/out"]
    assert words[4:] == [
        *("--size", "64", "--keep-grey", "--no-to-srgb"),
        *("--output", "parquet", "--split", '{"a": 0.5, "b": 0.5}'),
    ]
    assert retry_command(report(**FOLDERS), "x").endswith(" /home/me/out")


@pytest.mark.parametrize("field", Recipe().to_document())
def test_every_field_of_a_recipe_is_an_option_of_that_name(field: str) -> None:
    run = typer.main.get_command(cli.app).commands["run"]  # type: ignore[attr-defined] # a group
    names = {name for option in run.params for name in (*option.opts, *option.secondary_opts)}
    assert f"--{field.replace('_', '-')}" in names
    if isinstance(Recipe().to_document()[field], bool):
        assert f"--no-{field.replace('_', '-')}" in names
