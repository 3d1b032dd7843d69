"""A run that costs more than is allowed is refused, with the numbers."""

from __future__ import annotations

import pytest

from imagemill_app.plan.checked_request import check_cost
from imagemill_app.refusal import RunRefused


@pytest.mark.parametrize(("asked", "of_stack"), [(None, 0), (2.5, 0), (None, 2.5), (3, 2.5)])
def test_what_costs_no_more_than_is_allowed_is_not_refused(
    asked: float | None, of_stack: float
) -> None:
    check_cost(2.5, asked, of_stack)


@pytest.mark.parametrize(
    ("asked", "of_stack", "limit"),
    [
        (2, 0, "above 2 USD, the max_cost of the request."),
        (None, 2, "above 2 USD, the MaxRunDollars of the stack."),
        (100, 2, "above 2 USD, the MaxRunDollars of the stack."),
        (1.5, 2, "above 1.5 USD, the max_cost of the request."),
    ],
)
def test_the_lower_limit_refuses_and_is_named(
    asked: float | None, of_stack: float, limit: str
) -> None:
    with pytest.raises(RunRefused) as refused:
        check_cost(2.51234, asked, of_stack)
    assert (
        str(refused.value) == f"max_cost: the run is estimated to cost 2.5123 USD, which is {limit}"
    )
