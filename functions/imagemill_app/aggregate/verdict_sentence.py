"""The one sentence that says how a run ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagemill_app.aggregate.dataset_report import DatasetReport
from imagemill_app.results.rival_runs import Contest
from imagemill_app.tally.tally import failed_percent
from imagemill_contract.keys import Stage
from imagemill_contract.reporting.stage_counts import StageCounts


def verdict_sentence(
    run: Mapping[str, Any],
    stages: Mapping[Stage, StageCounts],
    contested: Contest,
    dataset: DatasetReport | None,
    tolerated_percent: float,
) -> str:
    """What was done, what was not, and what that means for a dataset."""
    done = sum(run["done"].values())
    if run["objects"] + run["refused"] == 0:
        parts = [_nothing(run, done)]
    else:
        parts = [_counts(stages)]
        parts += _failures(stages, tolerated_percent)
        parts += _overwritten(contested) if contested else []
        parts += _packed(dataset) if dataset else []
        parts += [f"{done:,} were done already"] if done else []
    parts += _adopted(run, done)
    parts += _superseded(dataset) if dataset else []
    return "; ".join(parts) + "."


def _nothing(run: Mapping[str, Any], done: int) -> str:
    if done:
        return f"Nothing to do: all {done:,} pictures are done already"
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in run["ignored"].items())
    return f"Nothing to do: left out were {left_out}"


def _adopted(run: Mapping[str, Any], done: int) -> list[str]:
    total = run["objects"] + run["refused"] + done
    return [f"{count:,} of {total:,} were done by {who}" for who, count in run["adopted"].items()]


def _counts(stages: Mapping[Stage, StageCounts]) -> str:
    first, *later = stages.items()
    parts = [f"{first[1].written:,} of {first[1].planned:,} pictures resized"]
    parts += [f"{counts.written:,} {stage.results}" for stage, counts in later]
    rejected = sum(counts.rejected for counts in stages.values())
    return ", ".join([*parts, f"{rejected:,} rejected"])


def _failures(stages: Mapping[Stage, StageCounts], tolerated_percent: float) -> list[str]:
    if not any(counts.failed for counts in stages.values()):
        return []
    percent = failed_percent(stages)
    first, *later = stages.items()
    parts = [f"{first[1].failed:,} failed in {first[0]}"]
    parts += [f"{counts.failed:,} in {stage}" for stage, counts in later]
    failed = " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
    return [
        f"{failed}: {percent:.2f} %, "
        f"{'within' if percent <= tolerated_percent else 'above'} "
        f"the tolerated {tolerated_percent:g} %"
    ]


def _overwritten(contested: Contest) -> list[str]:
    by = [f"{_number(n, 'result')} overwritten by {who}" for who, n in contested.by.items()]
    of = [f"{_number(n, 'result')} of {who} overwritten by it" for who, n in contested.of.items()]
    return [
        f"{', '.join(by + of)}, because they ran at the same time with another recipe or source: "
        "the next run does these again"
    ]


def _packed(dataset: DatasetReport) -> list[str]:
    if not dataset.samples:
        return []
    text = f"{_number(dataset.samples, 'sample')} in {_number(dataset.shards, 'dataset shard')}"
    if dataset.is_verified:
        return [f"{text}, read back and checked"]
    return [f"{text}, of which {dataset.verified['samples']:,} were read back and checked"]


def _superseded(dataset: DatasetReport) -> list[str]:
    samples, shards = dataset.superseded["samples"], dataset.superseded["shards"]
    if not samples:
        return []
    return [
        f"{_number(samples, 'sample')} in {_number(shards, 'older shard')} "
        f"{'is' if samples == 1 else 'are'} superseded; `imagemill compact` removes them"
    ]


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
