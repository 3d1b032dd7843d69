"""Writes the report of a run, for people and programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from imagemill_app.aggregate.bill import bill_of
from imagemill_app.aggregate.dataset_report import DatasetReport, published_dataset
from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.aggregate.metadata_file import write_metadata
from imagemill_app.aggregate.report_document import counted, measured, row_of, timed
from imagemill_app.aggregate.run_index import add_to_run_list
from imagemill_app.aggregate.run_page import pictures_for, write_page
from imagemill_app.aggregate.run_part import RunPart, written_run_part
from imagemill_app.aggregate.verdict_sentence import verdict_sentence
from imagemill_app.collector import uncollected
from imagemill_app.page.pictures import Shown
from imagemill_app.results.drafts import remove_draft
from imagemill_app.results.open_runs import OpenRun, close_run, indexed_run, open_runs
from imagemill_app.results.rival_runs import Contest, rivals_of
from imagemill_app.stores import StoreAt, list_keys, remove_folder, write_bytes
from imagemill_app.tally.tally import failed_percent
from imagemill_contract.keys import (
    intermediate_folder,
    report_key,
    report_page_key,
    run_journal_folder,
)
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.reporting.lambda_usage import LambdaUsage
from imagemill_contract.reporting.run_report import encode_report
from imagemill_dataset.parts.merging import merge_parts
from imagemill_dataset.tables.drafts import NO_DRAFTS, Drafts


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """How a run ended. The state machine reads `verdict`, shows `sentence` and announces all of it.

    Attributes:
        report: Its address.
        page: The address of the report for people.
        bill: What it has cost, as in the report.
    """

    report: str
    page: str
    verdict: str
    sentence: str
    stages: dict[str, dict[str, int]]
    reasons: dict[str, int]
    bill: dict[str, Any] = field(default_factory=dict)


@uncollected
def write_report(
    run: Mapping[str, Any],
    failures: Mapping[str, JobFailure],
    tolerated_percent: float,
    ended: str,
    used: Callable[[], LambdaUsage] = LambdaUsage,
) -> RunVerdict:
    """Write the part of the index of a run, and its report, from the tallies of its slices.

    A run of one slice has no tally: its outcomes are read now.

    It can be called again at any point, because it writes the same for the same outcomes, but for
    what the bill says of this invocation. `ended` is when the last job had ended, in ISO 8601;
    `used` says what this invocation has used.

    Raises DocumentError if an object has no outcome, or two, or a sample is not where it should be.
    """
    output = Location.parse(run["output"], "run.output")
    indexed = indexed_run(run)
    part = written_run_part(run, failures)
    tally, deleted = part.tally.tally, part.tally.deleted
    stages = tally.stages(run["objects"] + run["refused"])
    contested = _contested(run, part)
    previews = tally.sources.previews()
    drafts = NO_DRAFTS if contested else part.drafts
    dataset = _dataset(part, drafts, has_dataset=run["has_dataset"])
    is_good = failed_percent(stages) <= tolerated_percent and not contested
    verdict = RunVerdict(
        report=output.address_of(output.prefix + report_key(run["run_id"])),
        page=output.address_of(output.prefix + report_page_key(run["run_id"])),
        verdict="succeeded" if is_good else "failed",
        sentence=verdict_sentence(run, stages, contested, dataset, tolerated_percent),
        stages={str(stage): asdict(counts) for stage, counts in stages.items()},
        reasons=tally.problems.reasons(),
    )
    recipe = Recipe.from_document(indexed.recipe, "run.recipe")
    if recipe.has_metadata:
        write_metadata(output, recipe)
    merge_parts(StoreAt(output))
    _remove_leftovers(output, run["run_id"], has_intermediate=dataset is not None)
    remove_draft(output, run["run_id"])
    report = {**run, **asdict(verdict), **timed(run, ended)}
    report |= {**counted(tally, stages), **measured(tally)}
    report["deleted"] = {"objects": run["deleted"], "keys": list(deleted)}
    report["dataset"] = asdict(dataset) if dataset else None
    report["overwritten"] = {"by": contested.by, "of": contested.of}
    pictures = pictures_for(report, previews)
    report["bill"] = bill_of(run, tally, used())
    _publish(output, report, pictures)
    close_run(output, run["run_id"])
    return replace(verdict, bill=report["bill"])


def _publish(output: Location, report: Mapping[str, Any], pictures: Shown) -> None:
    """Write the report, its page, and the run's row in the list of runs."""
    write_bytes(output, report_key(report["run_id"]), encode_report(report))
    write_page(output, report, pictures)
    add_to_run_list(output, row_of(report))


def _contested(run: Mapping[str, Any], part: RunPart) -> Contest:
    """Correct the run's part of the index if another run has interfered."""
    others = open_runs(part.output)
    unknown = OpenRun(run, frozenset(), frozenset())  # another run has taken this one for over
    mine = next((other for other in others if other.run_id == part.run.run_id), unknown)
    rivals = rivals_of(part.output, mine, others)
    return part.corrected(rivals) if rivals else Contest()


def _dataset(part: RunPart, drafts: Drafts, *, has_dataset: bool) -> DatasetReport | None:
    """The part about the dataset. A run that writes files may supersede samples, too."""
    recipe = Recipe.from_document(part.run.recipe, "run.recipe")
    if not recipe.is_packed and not has_dataset:
        return None
    return published_dataset(part.output, part.run, recipe, part.tally, drafts)


def _remove_leftovers(output: Location, run_id: str, *, has_intermediate: bool) -> None:
    """Delete what jobs left for each other. Journals in a bucket expire by themselves."""
    folders = [intermediate_folder(run_id)] if has_intermediate else []
    if output.is_file:
        folders.append(run_journal_folder(run_id))
    for folder in folders:
        remove_folder(output, folder, list_keys(output, folder))
