"""docs/cli.md has the help of every command, and every help text has an example."""

from __future__ import annotations

import pytest

from tests.helpers.cli_page import MARK, PAGE, commands, example_of, generated


def test_page_has_the_help_of_every_command() -> None:
    _, mark, made = PAGE.read_text("utf-8").partition(MARK)
    assert mark
    assert made == generated(), "make docs writes it"


@pytest.mark.parametrize("name", commands())
def test_example_of_a_command_is_one_of_it(name: str) -> None:
    assert example_of(name).startswith(f"imagemill {name}")
