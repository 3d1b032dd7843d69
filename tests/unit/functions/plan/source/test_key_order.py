from __future__ import annotations

from operator import attrgetter

from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.plan.source.in_hand.key_order import Found, in_key_order
from imagemill_contract.documents import SourceObject
from imagemill_contract.outcomes import Outcome, Reason, Status

keys = st.sampled_from(["a", "b/c.jpg", "é", "z\n", "\udc80"])
values = st.lists(st.integers(0, 1), max_size=1).map(tuple)
objects = st.builds(SourceObject, keys, st.sampled_from(["e", "f"]), st.integers(0, 9), values)
refused = st.builds(lambda key: Outcome(key, Status.REJECTED, Reason.GONE, "It is gone."), keys)


@given(st.lists(objects | refused), st.integers(1, 7))
def test_found_objects_come_by_key_and_else_as_they_were_given_however_few_are_held(
    found: list[Found], most_held: int
) -> None:
    assert list(in_key_order(found, most_held)) == sorted(found, key=attrgetter("key"))
