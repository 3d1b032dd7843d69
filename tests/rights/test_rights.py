"""No right is superfluous: without it, the way that docs/rights.md names breaks.

Run by `make check-rights`; `make rights` writes the table, which takes about as long.
"""

from __future__ import annotations

import pytest

from tests.helpers.rights import Grant, grants
from tests.helpers.rights_scenarios import SCENARIOS
from tests.helpers.rights_table import (
    NOT_SHOWN,
    NOT_SHOWN_BY_A_RUN,
    NOT_YET,
    SUPERFLUOUS,
    breaks_without,
    rows,
    stack_for_rights,
    what_breaks,
)
from tests.helpers.rights_world import World

pytestmark = pytest.mark.rights

SHOWN = [grant for grant in grants() if rows().get(grant.name) in SCENARIOS]
NEW = [grant for grant in grants() if rows().get(grant.name) == NOT_YET]


@pytest.mark.parametrize("name", SCENARIOS)
def test_pipeline_works_with_the_rights_of_the_template(name: str) -> None:
    with stack_for_rights() as stack:
        SCENARIOS[name](World(stack))


@pytest.mark.parametrize("grant", SHOWN, ids=lambda grant: grant.name)
def test_pipeline_breaks_without(grant: Grant) -> None:
    assert breaks_without(grant, rows()[grant.name]), f"{grant.name} is superfluous"


@pytest.mark.parametrize("grant", NEW, ids=lambda grant: grant.name)
def test_something_breaks_without(grant: Grant) -> None:
    assert what_breaks(grant, rows()) != SUPERFLUOUS


def test_every_other_right_has_its_reason() -> None:
    others = {grant.name: rows().get(grant.name) for grant in grants()}
    reasons = {f"{NOT_SHOWN_BY_A_RUN}: {why}" for why in NOT_SHOWN.values()}
    assert set(others.values()) <= {*SCENARIOS, *reasons, NOT_YET}, others
