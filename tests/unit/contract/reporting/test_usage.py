from __future__ import annotations

import pytest

from imagemill_contract.errors import DocumentError
from imagemill_contract.reporting.usage import Usage

FIRST = Usage(1, 2.0, 4.0, 3.0, 10, {"get": 2, "put": 1}, 100.0, 102.0)
SECOND = Usage(1, 1.0, 1.0, 1.0, 5, {"get": 1, "list": 1}, 90.0, 91.0)


def test_usages_add_up_and_span_all_their_time() -> None:
    both = FIRST.plus(SECOND)
    assert both == Usage(2, 3.0, 5.0, 4.0, 15, {"get": 3, "list": 1, "put": 1}, 90.0, 102.0)
    assert both.busy_ratio == 0.8
    assert Usage().plus(FIRST) == FIRST
    assert Usage.from_document(both.to_document()) == both


def test_a_usage_of_another_shape_is_refused() -> None:
    with pytest.raises(DocumentError, match="A usage cannot be read"):
        Usage.from_document({"dollars": 1})
