"""The fields of `report.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from imagemill_app.tally.problems import PROBLEMS
from imagemill_app.tally.tally import Tally
from imagemill_contract.keys import Stage
from imagemill_contract.reporting.run_list import RunRow
from imagemill_contract.reporting.stage_counts import StageCounts


def counted(tally: Tally, stages: Mapping[Stage, StageCounts]) -> dict[str, object]:
    """The fields that say what became of how many objects, and of which."""
    return {
        "stages": {str(stage): asdict(counts) for stage, counts in stages.items()},
        "reasons": tally.problems.reasons(),
        "problems": tally.problems.rows(),
        "output_bytes": tally.output_bytes.total(),
        **{str(status): tally.problems.listed(status) for status in PROBLEMS},
    }


def measured(tally: Tally) -> dict[str, object]:
    """The fields that say what the sources are, and what the jobs have used."""
    sources = {**tally.sources.to_document(), "samples": tally.sources.samples()}
    del sources["previews"]  # those are for the page
    return {
        "sources": sources,
        "jobs": {
            str(stage): {
                **jobs.to_document(),
                "busy_ratio": jobs.usage.busy_ratio,
                "slowest": jobs.slowest(),
                "drawn": jobs.drawn(),
            }
            for stage, jobs in tally.jobs.items()
        },
    }


def timed(run: Mapping[str, Any], ended: str) -> dict[str, object]:
    """When the run ended, and how long it took from the start of its execution."""
    span = datetime.fromisoformat(ended) - datetime.fromisoformat(run["started"])
    return {"ended": ended, "seconds": round(span.total_seconds(), 3)}


def row_of(report: Mapping[str, Any]) -> RunRow:
    """The run's row in the list of runs."""
    stages = report["stages"].values()
    return RunRow(
        run_id=report["run_id"],
        started=report["started"],
        ended=report["ended"],
        verdict=report["verdict"],
        sentence=report["sentence"],
        source=report["source"],
        output=report["output"],
        planned=report["objects"] + report["refused"],
        written=min(counts["written"] for counts in stages),
        rejected=sum(counts["rejected"] for counts in stages),
        failed=sum(counts["failed"] for counts in stages),
        bytes=report["bytes"],
        dollars=report["bill"]["total_dollars"] if report.get("bill") else None,
        report=report["report"],
        page=report.get("page", ""),
    )
