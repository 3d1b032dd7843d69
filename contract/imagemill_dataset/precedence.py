"""Decides which of two rows of an object counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagemill_contract.outcomes import Reason
from imagemill_dataset.reasons import GIVEN_UP, UNTOUCHED

if TYPE_CHECKING:  # the index itself needs this module
    from imagemill_dataset.index import Entry


def counts_over(entry: Entry, known: Entry) -> bool:
    """Whether `entry` replaces `known`, a row of the same object that was read before."""
    if entry.run.run_id == known.run.run_id and Reason.OVERWRITTEN in (entry.reason, known.reason):
        return entry.reason is Reason.OVERWRITTEN  # the last thing that is learnt of a result
    if _stays(known, entry):
        return False
    return _stays(entry, known) or known.run.started <= entry.run.started


def _stays(entry: Entry, other: Entry) -> bool:
    """Whether `entry` counts even if the other's run was started later."""
    if entry.place and other.reason in GIVEN_UP:
        return True
    return entry.reason is None and not entry.is_pruned and other.reason in UNTOUCHED
