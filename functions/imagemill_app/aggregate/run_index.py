"""Adds a run to `runs/index.json`, also while others add theirs."""

from __future__ import annotations

import random
import time

from imagemill_app.swaps import find, swap
from imagemill_contract.keys import RUN_LIST
from imagemill_contract.locations import Location
from imagemill_contract.reporting.run_list import RunRow, with_run

# Of any number of writers at once one succeeds each time, so this many can end together.
MAX_TRIES = 100
LONGEST_PAUSE_SECONDS = 2.0


class RunListBusyError(RuntimeError):
    """Others have changed the list of runs each time that this run tried to."""


def add_to_run_list(output: Location, row: RunRow) -> None:
    """Add or replace the row of a run. Raises RunListBusyError if others always came first."""
    for tried in range(MAX_TRIES):
        found = find(output, RUN_LIST)
        body = with_run(found.body if found else None, row)
        if swap(output, RUN_LIST, body, found):
            return
        pause_seconds = min(0.05 * 2**tried, LONGEST_PAUSE_SECONDS)
        time.sleep(random.uniform(0, pause_seconds))  # noqa: S311 # only to be out of step
    raise RunListBusyError(f"{RUN_LIST} was changed by others {MAX_TRIES} times in a row.")
