from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.paths import escaped


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a b/日本 é.jpg", "a b/日本 é.jpg"),
        ("two\nlines", r"two\nlines"),
        (r"two\nlines", r"two\\nlines"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\u202egnp.exe", r"a\u202egnp.exe"),  # would turn the rest round
        ("no utf-8: \udcff", r"no utf-8: \udcff"),
        ('it\'s "quoted"', 'it\'s "quoted"'),
    ],
)
def test_name_is_shown_on_one_line(name: str, shown: str) -> None:
    assert escaped(name) == shown


names = st.text(st.characters(exclude_characters="'\""))


@given(names)
def test_what_is_shown_is_printable_and_gives_the_name_back(name: str) -> None:
    shown = escaped(name)
    assert shown.isprintable()
    assert ast.literal_eval(f"'{shown}'") == name


@given(names, names)
def test_no_two_names_look_alike(first: str, second: str) -> None:
    assert (escaped(first) == escaped(second)) == (first == second)
