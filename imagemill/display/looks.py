"""A run at one moment: what it is, how far each stage is, and what its shards do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from imagemill.deployed.job_logs import StageProgress
from imagemill.deployed.progress import Look
from imagemill.deployed.runs import RunState
from imagemill.display.lines import print_line
from imagemill.display.summary import print_summary
from imagemill.display.times import duration, exact, moment
from imagemill_contract.keys import Stage, stages_in

_STATES = {RunState.STOPPED: "was stopped", RunState.REFUSED: "was refused"}


def print_look(console: Console, look: Look) -> None:
    """Print what is known about a run, and what one may do next."""
    run = look.run
    if look.report:
        print_summary(console, look.report, run.seconds(datetime.now(UTC)) or 0.0)
        if run.state is RunState.STOPPED:
            print_line(console, "It was stopped when its report was written already.")
        print_next(console, look.report)
        return
    for line in lines_of(look):
        print_line(console, line)
    if run.is_running:
        print_line(console, f"watch it:  imagemill status {run.run_id} --watch")
        print_line(console, f"stop it:   imagemill cancel {run.run_id}")


def print_next(console: Console, report: Mapping[str, Any]) -> None:
    """Print what one may do about what was not written."""
    if any(counts["rejected"] or counts["failed"] for counts in report["stages"].values()):
        print_line(console, f"list them:       imagemill failures {report['run_id']}")
        print_line(console, f"try them again:  imagemill retry {report['run_id']}")


def lines_of(look: Look, now: datetime | None = None) -> Iterator[str]:
    """The state of the run, then a line for each stage and one for the shards."""
    run, now = look.run, now or datetime.now(UTC)
    seconds = duration(run.seconds(now) or 0.0)
    state = f"has been {_doing(look, now)} for" if run.is_running else f"{_ended(look)} after"
    yield f"{run.run_id} {state} {seconds}"
    if run.cause:
        yield run.cause
    if look.planned is None:
        return
    planned = look.planned["objects"]
    for stage in _stages(look):
        yield _stage_line(stage, look, planned)
    if look.shards:
        counts = ", ".join(f"{count:,} {name}" for name, count in look.shards.items() if count)
        yield f"shards  {counts or 'none started'} of {look.planned['shards']:,}"


def look_document(look: Look) -> dict[str, Any]:
    """The same for programs."""
    run = look.run
    return {
        "run_id": run.run_id,
        "state": str(run.state),
        "started": exact(run.started),
        "ended": exact(run.ended),
        "cause": run.cause or None,
        "planned_objects": look.planned["objects"] if look.planned else None,
        "stages": {stage: _stage_document(stage, look) for stage in _stages(look)},
        "shards": dict(look.shards),
        "report": look.report,
    }


def _stages(look: Look) -> tuple[Stage, ...]:
    """The stages of the run; those of most runs until it is planned."""
    return stages_in(look.planned["recipe"] if look.planned else {})


def _doing(look: Look, now: datetime) -> str:
    closes = look.run.waits_until
    if look.planned:
        return "running"
    if closes and closes > now:
        return f"waiting until {moment(closes)} for more uploads,"
    return "planning"


def _ended(look: Look) -> str:
    return _STATES.get(look.run.state, str(look.run.state))


def _stage_line(stage: Stage, look: Look, planned: int) -> str:
    state, rate = look.stages.get(stage, StageProgress()), look.rates.get(stage, 0.0)
    parts = [f"{stage:<7} {state.done:,} of {planned:,} images"]
    if look.run.is_running and rate and state.done < planned:
        parts.append(f"{rate:,.{0 if rate >= 10 else 1}f} images/s")
        parts.append(f"{duration((planned - state.done) / rate)} left")
    parts += [f"{count:,} {name}" for name, count in _bad(state).items() if count]
    return ", ".join(parts)


def _bad(state: StageProgress) -> Mapping[str, int]:
    return {"rejected": state.rejected, "failed": state.failed}


def _stage_document(stage: Stage, look: Look) -> dict[str, Any]:
    if look.report:
        counts: dict[str, Any] = look.report["stages"][stage]
        return counts
    state = look.stages.get(stage, StageProgress())
    return {
        "done": state.done,
        "written": state.written,
        **_bad(state),
        "images_per_second": round(look.rates.get(stage, 0.0), 2),
    }
