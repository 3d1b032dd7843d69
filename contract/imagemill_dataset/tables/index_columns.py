"""The columns of the Parquet table, from entries of the index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imagemill_contract.document_parts.pictures import Original
from imagemill_contract.errors import RequestError
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import Recipe
from imagemill_contract.recipe_parts.given import Scores
from imagemill_dataset.files.published_source import published_source
from imagemill_dataset.index import Entry, IndexedRun, Place
from imagemill_dataset.parts.columns import (
    Column,
    as_json,
    beside,
    looked_up,
    or_else,
    said,
)
from imagemill_dataset.shards import DatasetShard

_NOWHERE = (None,) * len(Place._fields)
_UNKNOWN = (None,) * len(Original._fields)


class RecipeDigests:
    """Digests of recipes by run; None for a recipe with fields that no longer exist."""

    def __init__(self) -> None:
        self._by_run: dict[str, str | None] = {}

    def of(self, run: IndexedRun) -> str | None:
        if run.run_id not in self._by_run:
            try:
                self._by_run[run.run_id] = Recipe.from_document(run.recipe).digest
            except RequestError:
                self._by_run[run.run_id] = None
        return self._by_run[run.run_id]


def table_columns(
    rows: Sequence[tuple[str, Entry]], shards: Mapping[str, DatasetShard], digests: RecipeDigests
) -> list[Column]:
    """The columns of rows of the index, in the order of the table."""
    keys, entries = zip(*rows, strict=True)
    each = Entry._make(zip(*entries, strict=True))  # a column in each field
    return [keys, *_columns_of_runs(each, digests), *_columns_of_samples(each, shards)]


def _columns_of_runs(each: Any, digests: RecipeDigests) -> Iterator[Column]:
    """The columns after `source_key` up to `run_id`."""
    run_ids = [run.run_id for run in each.run]
    runs = dict(zip(run_ids, each.run, strict=True))  # few
    yield looked_up(run_ids, {run_id: published_source(run.source) for run_id, run in runs.items()})
    yield each.etag
    yield looked_up(run_ids, {run_id: digests.of(run) for run_id, run in runs.items()})
    yield looked_up(run_ids, {run_id: run_id for run_id in runs})


def _columns_of_samples(each: Any, shards: Mapping[str, DatasetShard]) -> Iterator[Column]:
    """The columns from `shard` on."""
    places = or_else(each.place, _NOWHERE)
    keys, positions, *sizes, digests, labels, _ = zip(*places, strict=True)
    yield keys
    yield positions
    yield looked_up(keys, {key: key and shards[key].split for key in set(keys)})
    yield labels
    yield from sizes  # of width, height and bytes, as a place has them
    yield digests
    yield said(_reason_alone, each.reason, each.place)
    yield said(_values_by_name, each.columns, each.run)
    yield or_else(each.fingerprint, None)
    originals = or_else(each.original, _UNKNOWN)
    widths, heights, dates = zip(*originals, strict=True)
    yield each.bytes if all(each.original) else said(beside, each.original, each.bytes)
    yield widths
    yield heights
    yield or_else(dates, None)
    yield said(_predicted, each.scores, each.run)
    yield said(_score, each.scores)
    yield said(as_json, each.scores)


def _reason_alone(reason: Reason, place: Place | None) -> str | None:
    """Why there is no sample, if there is none."""
    return None if place else str(reason)


def _predicted(scores: Scores, run: IndexedRun) -> str | None:
    """The best label; None where scores have no labels."""
    if not isinstance(scores, Mapping) or not run.recipe.get("model_labels"):
        return None
    return max(scores, key=lambda name: scores[name])


def _score(scores: Scores) -> float | None:
    """The only one there is."""
    if len(scores) != 1:
        return None
    (score,) = scores.values() if isinstance(scores, Mapping) else scores
    return float(score)


def _values_by_name(values: Sequence[object], run: IndexedRun) -> str:
    names = sorted(run.recipe.get("columns", {}))
    return as_json(dict(zip(names, values, strict=False)))
