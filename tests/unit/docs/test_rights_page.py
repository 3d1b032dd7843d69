"""docs/rights.md against the template and the ways that its rights are tried by."""

from __future__ import annotations

from tests.helpers.pages import plain, tables, text_of
from tests.helpers.rights import grants
from tests.helpers.rights_scenarios import SCENARIOS
from tests.helpers.rights_table import PAGE, allowed_words, rows


def test_each_right_of_the_template_has_its_row() -> None:
    """Write rows of new rights by `python -m tests.helpers.rights_table WORD`."""
    assert list(rows()) == [grant.name for grant in grants()]


def test_each_right_is_shown_or_has_its_reason() -> None:
    words = allowed_words()
    assert {name: word for name, word in rows().items() if word not in words} == {}


def test_each_way_is_described() -> None:
    found = [row for rows in tables(text_of(PAGE)) for row in rows if "way" in row]
    assert {plain(row["way"]) for row in found} == set(SCENARIOS)
