from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.errors import RequestError
from imagemill_contract.keys import check_run_id
from imagemill_contract.requests.windows import Window

moments = st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1970 <= moment.year < 9000)
lengths = st.integers(1, 86_400)


@given(moments, lengths)
def test_moment_lies_in_its_window_and_windows_follow_on_each_other(
    moment: datetime, seconds: int
) -> None:
    window = Window.at(moment, seconds)
    assert window.start <= moment < window.end
    assert window.end - window.start == timedelta(seconds=seconds)
    assert Window.at(window.end, seconds) == window.next()


@given(moments, lengths)
def test_window_round_trips_through_its_name(moment: datetime, seconds: int) -> None:
    window = Window.at(moment, seconds)
    assert Window.parse(window.name) == window
    assert check_run_id(window.run_id)


@pytest.mark.parametrize("name", ["", "now", "20260230T000000Z-60s", "20261123T101500Z", 7, None])
def test_name_that_is_none_is_refused(name: object) -> None:
    with pytest.raises(RequestError, match="window: "):
        Window.parse(name)
