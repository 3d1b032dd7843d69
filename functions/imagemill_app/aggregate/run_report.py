"""The report of a run: what a person and a machine read when it is over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from imagemill_app.aggregate.dataset_report import DatasetReport, published_dataset
from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.aggregate.packed import check_lengths
from imagemill_app.aggregate.results import RunResults, deleted_outputs
from imagemill_app.aggregate.sentences import run_sentence
from imagemill_app.aggregate.tally import MAX_LISTED, failed_percent, listed_document, tally
from imagemill_app.index import merge_parts, write_index_part
from imagemill_app.stores import remove, remove_folder, write_bytes
from imagemill_contract.keys import intermediate_key, report_key, shard_id_of
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Entry, IndexedRun


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """How a run ended. The state machine reads `verdict` and shows `sentence`."""

    report: str
    verdict: str
    sentence: str
    stages: dict[str, dict[str, int]]
    reasons: dict[str, int]


def write_report(
    run: Mapping[str, Any], failures: Mapping[str, JobFailure], tolerated_percent: float
) -> RunVerdict:
    """Read all outcomes of a planned run, write its report and its part of the index.

    What it writes follows from what it reads: it can be called again at any point.

    Raises DocumentError when an object has no outcome, or two, or a sample is not where it should.
    """
    output = Location.parse(run["output"], "run.output")
    results = RunResults(IndexedRun(run["run_id"], run["started"], run["source"], run["recipe"]))
    totals = tally(results.outcomes(output, failures), run["objects"] + run["refused"])
    check_lengths(output, results.packed.shards)
    deleted = deleted_outputs(run, output)
    if run["prune"]:
        remove(output, [key for outputs in deleted.values() for key in outputs])
        gone = {key: Entry("", None, results.run, is_pruned=True) for key in deleted}
        results.entries.update(gone)
    write_index_part(output, results.run, results.entries, results.packed.shards)
    results.entries.clear()  # the whole index is read next
    dataset = _dataset(output, results, has_dataset=run["has_dataset"])
    verdict = RunVerdict(
        report=output.address_of(output.prefix + report_key(run["run_id"])),
        verdict="succeeded" if failed_percent(totals) <= tolerated_percent else "failed",
        sentence=run_sentence(run, totals, dataset, tolerated_percent),
        stages={str(stage): asdict(counts) for stage, counts in totals.stages.items()},
        reasons=totals.reasons,
    )
    report = {"v": 1, **run, **asdict(verdict), **listed_document(totals)}
    report["deleted"] = {"objects": len(deleted), "keys": list(deleted)[:MAX_LISTED]}
    report["dataset"] = asdict(dataset) if dataset else None
    body = json.dumps(report, ensure_ascii=False, indent=2).encode()
    write_bytes(output, report_key(run["run_id"]), body)
    merge_parts(output)
    if dataset:
        _remove_intermediate(output, run["run_id"], run["shards"])
    return verdict


def _dataset(output: Location, results: RunResults, *, has_dataset: bool) -> DatasetReport | None:
    """What there is to say of a dataset; a run of files may supersede samples of one."""
    recipe = Recipe.from_document(results.run.recipe, "run.recipe")
    if not recipe.is_packed and not has_dataset:
        return None
    return published_dataset(output, results.run, recipe, results.packed)


def _remove_intermediate(output: Location, run_id: str, shards: int) -> None:
    """Delete what resize jobs have left to edge jobs; what is not there is no fault."""
    keys = [intermediate_key(run_id, shard_id_of(index)) for index in range(shards)]
    if keys:
        remove_folder(output, keys[0].rpartition("/")[0], keys)
