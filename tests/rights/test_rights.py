"""No right is superfluous: without it, the way that docs/rights.md names breaks.

Run by `make check-rights`; `make rights` writes the table, which takes about as long.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagemill.local_stack import LocalStack
from tests.helpers.rights import Grant, grants
from tests.helpers.rights_scenarios import SCENARIOS, World
from tests.helpers.rights_table import NOT_SHOWN, breaks_without, rows, stack_for_rights

pytestmark = pytest.mark.rights

SHOWN = [grant for grant in grants() if rows().get(grant.name) in SCENARIOS]


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with stack_for_rights() as running:
        yield running


@pytest.mark.parametrize("name", SCENARIOS)
def test_pipeline_works_with_the_rights_of_the_template(name: str, stack: LocalStack) -> None:
    SCENARIOS[name](World(stack))


@pytest.mark.parametrize("grant", SHOWN, ids=lambda grant: grant.name)
def test_pipeline_breaks_without(grant: Grant, stack: LocalStack) -> None:
    assert breaks_without(stack, grant, rows()[grant.name]), f"{grant.name} is superfluous"


def test_every_other_right_has_its_reason() -> None:
    others = {grant.name: rows().get(grant.name) for grant in grants() if grant not in SHOWN}
    assert set(others.values()) <= set(NOT_SHOWN.values()), others
