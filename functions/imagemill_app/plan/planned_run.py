"""A run whose plan is written, as it travels through the state machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagemill_contract import VERSION

_COMMIT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """Pointers and counts only.

    Attributes:
        to_do: How many objects are to be done, by reason, such as `new`.
        done: How many objects are left out as done, by reason, such as `unchanged`.
        ignored: How many objects the request or their names leave out, by reason.
        adopted: How many of `done` were done by runs without a report, by what to call those runs.
        deleted: How many sources are gone that an earlier run has done.
        has_dataset: Whether earlier runs have packed results at the output.
        alone: Whether its starter holds a lock on the output until it ends.
        tool: The tool's version and commit, as the cards of datasets name it.
        estimate: The document of `estimates.Estimate`.
        planning: What functions have used to plan it, but for the one that makes this.
        gathering: What it has taken to gather uploads, with their number of `messages`.
        slices: Numbers of the slices that are aggregated.
        is_planned: True: nothing is left to be planned.
    """

    run_id: str
    started: str
    source: str
    output: str
    recipe: dict[str, object]
    items_key: str
    map_results_prefix: str
    shards: int
    objects: int
    refused: int
    bytes: int
    to_do: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    adopted: dict[str, int] = field(default_factory=dict)
    deleted: int = 0
    prune: bool = False
    dry_run: bool = False
    has_dataset: bool = False
    alone: bool = False
    tool: str = ""
    estimate: dict[str, object] = field(default_factory=dict)
    planning: Mapping[str, object] = field(default_factory=dict)
    gathering: Mapping[str, object] = field(default_factory=dict)
    slices: list[int] = field(default_factory=list)
    is_planned: bool = True


def tool_name(commit: str) -> str:
    """What carries a run out, such as `imagemill 0.1.0 (0a1b2c3d4e5f)`; `commit` may be empty."""
    known = f" ({commit[:_COMMIT_DIGITS]})" if commit else ""
    return f"imagemill {VERSION}{known}"
