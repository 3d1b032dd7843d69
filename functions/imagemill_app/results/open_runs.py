"""Open runs: those planned and not yet aggregated. A run that was stopped stays open.

Each has a marker, `open/<run_id>.json`, from just before its plan is written until its report is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imagemill_app.stores import list_keys, read_bytes, remove, write_bytes
from imagemill_contract.keys import OPEN_RUNS, open_run_key
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Output
from imagemill_dataset.index import IndexedRun

VERSION = 1


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run's marker.

    Attributes:
        run: The document of its `PlannedRun`.
        index_parts: Keys of the parts of the index when it was planned.
        indexed_runs: Ids of the runs that had rows in them.
    """

    run: Mapping[str, Any]
    index_parts: frozenset[str]
    indexed_runs: frozenset[str]

    @property
    def run_id(self) -> str:
        return str(self.run["run_id"])

    @property
    def indexed(self) -> IndexedRun:
        """The run as the index names it."""
        return indexed_run(self.run)

    def encode(self) -> bytes:
        document = {
            "v": VERSION,
            "run": dict(self.run),
            "index_parts": sorted(self.index_parts),
            "indexed_runs": sorted(self.indexed_runs),
        }
        return json.dumps(document, ensure_ascii=False).encode()


def indexed_run(run: Mapping[str, Any]) -> IndexedRun:
    """A planned run as the index names it."""
    names = (run["run_id"], run["started"], run["source"])
    return IndexedRun(*names, run["recipe"], run.get("tool", ""))


def writes_files(run: IndexedRun) -> bool:
    """Whether its results are files, which a run with another recipe could also write."""
    return bool(run.recipe.get("output", Output.FILES) == Output.FILES)


def write_open_run(output: Location, open_run: OpenRun) -> None:
    write_bytes(output, open_run_key(open_run.run_id), open_run.encode())


def open_runs(output: Location) -> list[OpenRun]:
    """All open runs, sorted by id."""
    return list(_open_runs(output))


def close_run(output: Location, run_id: str) -> None:
    """Remove a run's marker, if there is one."""
    remove(output, [open_run_key(run_id)])


def _open_runs(output: Location) -> Iterator[OpenRun]:
    for key in sorted(list_keys(output, OPEN_RUNS)):
        try:
            document = json.loads(read_bytes(output, key))
        except FileNotFoundError:  # it has ended meanwhile
            continue
        if document.pop("v") == VERSION:  # one of another version is left to its own
            yield OpenRun(
                document["run"],
                frozenset(document["index_parts"]),
                frozenset(document["indexed_runs"]),
            )
