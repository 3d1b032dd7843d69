"""No right is superfluous: without it, the way that docs/rights.md names breaks.

Run by `make check-rights`; `make rights` writes the table, which takes about as long. That each
right has its row is tested with the documents.
"""

from __future__ import annotations

import pytest

from tests.helpers.rights import Grant, grants
from tests.helpers.rights_scenarios import SCENARIOS
from tests.helpers.rights_table import breaks_without, failure_with_all, rows

pytestmark = pytest.mark.rights

SHOWN = [grant for grant in grants() if rows().get(grant.name) in SCENARIOS]


@pytest.mark.parametrize("name", SCENARIOS)
def test_pipeline_works_with_the_rights_of_the_template(name: str) -> None:
    assert failure_with_all(name) is None


@pytest.mark.parametrize("grant", SHOWN, ids=lambda grant: grant.name)
def test_pipeline_breaks_without(grant: Grant) -> None:
    assert breaks_without(grant, rows()[grant.name]), f"{grant.name} is superfluous"
