"""A run of many slices before it is planned: what all of its slices have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from imagemill_app.plan.checked_request import request_of
from imagemill_app.plan.earlier.stopped_runs import TakenOver
from imagemill_app.plan.source.slices import KeyRange
from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import read_bytes, write_bytes
from imagemill_contract.keys import draft_key
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest
from imagemill_dataset.index import IndexedRun

VERSION = 1


@dataclass(frozen=True, slots=True)
class DraftedRun:
    """A run of many slices, as it travels through the state machine until it is planned.

    `ranges` is how many ranges of keys are planned, each slice by slice.
    """

    run_id: str
    output: str
    ranges: int
    is_planned: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What `PlanRun` has found out.

    Attributes:
        run: The run as the index will name it.
        request: The input of its execution.
        source: Where the objects are.
        output: Where results go.
        ranges: Which keys are planned by whom.
        is_listed: Whether a slice lists its objects; otherwise their list is a document.
        ignored: How many objects are left out already, by reason.
        taken_over: The open runs whose work counts.
        labels: Numbers of classes, if the recipe takes them from folders.
        index_parts: Keys of the parts of the index.
        indexed_runs: Ids of the runs that have rows in them.
        has_dataset: Whether earlier runs have packed results.
        gathering: The document of what it has taken to gather uploads; empty without any.
    """

    run: IndexedRun
    request: Mapping[str, Any]
    source: Location
    output: Location
    ranges: Sequence[KeyRange]
    is_listed: bool
    ignored: Mapping[str, int] = field(default_factory=dict)
    taken_over: Sequence[TakenOver] = ()
    labels: Mapping[str, int] = field(default_factory=dict)
    index_parts: Sequence[str] = ()
    indexed_runs: Sequence[str] = ()
    has_dataset: bool = False
    gathering: Mapping[str, object] = field(default_factory=dict)

    def write(self) -> None:
        document = {
            "v": VERSION,
            **asdict(self),
            "source": str(self.source),
            "output": str(self.output),
        }
        body = json.dumps(document, ensure_ascii=False).encode()
        write_bytes(self.output, draft_key(self.run.run_id), body)


def drafted_request(draft: Draft, settings: PlanRunSettings) -> RunRequest:
    """The request of a draft, whose model is known already. Raises RunRefused."""
    recipe = Recipe.from_document(draft.run.recipe, "draft.recipe")
    return replace(request_of(draft.request, settings), recipe=recipe)


def read_draft(run_id: str, output: Location) -> Draft:
    """The draft of a run. Raises FileNotFoundError without one."""
    document = json.loads(read_bytes(output, draft_key(run_id)))
    del document["v"]
    return Draft(
        **document
        | {
            "run": IndexedRun(**document["run"]),
            "source": Location.parse(document["source"], "draft.source"),
            "output": output,
            "ranges": [KeyRange(**keys) for keys in document["ranges"]],
            "taken_over": [TakenOver.from_document(other) for other in document["taken_over"]],
        }
    )
