"""The same worker without journal and without limiter: put before its modules by `safety`.

With `AS_IT_IS` in the environment it imports the same modules and changes nothing.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import Any

from imagemill_worker.journal import Journal
from imagemill_worker.stores.weather import Weather


def nothing(*_: Any, **__: Any) -> None:
    """Note nothing, and limit nothing."""


def no_pages(store: Any, shard: Any, stage: Any) -> Journal:
    return Journal(store, shard, stage)


def at_once(_: Weather) -> nullcontext[None]:
    return nullcontext()


if "AS_IT_IS" not in os.environ:
    Journal.read = no_pages  # type: ignore[method-assign]
    Journal.add = Journal.write = Journal.write_when_due = nothing  # type: ignore[method-assign]
    Weather.request = at_once  # type: ignore[method-assign, assignment]
    Weather.went_well = nothing  # type: ignore[method-assign]
