"""The progress of a run: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from imagemill.deployed.job_logs import StageProgress
from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.recipe import Recipe

PLAIN_LINE_SECONDS = 5.0


@dataclass(slots=True)
class RunProgress:
    """What is known about a run so far.

    Attributes:
        stages: What the jobs of each stage have logged.
        planned: Objects that the jobs are given; None until that is known.
        in_order: The stages of the run.
    """

    stages: Mapping[str, StageProgress] = field(default_factory=dict)
    planned: int | None = None
    in_order: Sequence[Stage] = stages_of(Recipe())


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} images/s" if speed else "", style="cyan")


class BarDisplay:
    """Live bars, one for each stage."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<7}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="yellow"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, run: RunProgress) -> None:
        for stage in run.in_order:
            if stage not in self._tasks:
                self._tasks[stage] = self._progress.add_task(stage, total=None, note="")
            task = self._tasks[stage]
            state = run.stages.get(stage, StageProgress())
            self._progress.update(task, total=run.planned, completed=state.done, note=_note(state))


@dataclass(frozen=True, slots=True)
class _Start:
    """When a stage was first seen to have done pictures, and how many it had done then."""

    seconds: float
    done: int

    def rate(self, done: int, now: float) -> float:
        """Images per second since then; 0 while nothing more is done."""
        return (done - self.done) / (now - self.seconds) if now > self.seconds else 0.0


class LineDisplay:
    """A line every few seconds, for logs and pipes."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._last = clock()
        self._starts: dict[str, _Start] = {}
        self._shown: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """There is nothing to release."""

    def show(self, run: RunProgress) -> None:
        now = self._clock()
        for stage, state in run.stages.items():
            if state.done:
                self._starts.setdefault(stage, _Start(now, state.done))
        complete = all(state.done == run.planned for state in run.stages.values())
        if now - self._last < PLAIN_LINE_SECONDS and not complete:
            return
        for stage, state in run.stages.items():
            if self._shown.get(stage) != state.done:
                self._shown[stage] = state.done
                self._console.print(self._line(stage, state, run.planned, now), highlight=False)
                self._last = now

    def _line(self, stage: str, state: StageProgress, planned: int | None, now: float) -> str:
        start = self._starts.get(stage)
        rate = start.rate(state.done, now) if start else 0.0
        parts = [f"{stage}: {state.done} of {planned or '?'} images"]
        if rate:
            parts.append(f"{rate:,.{0 if rate >= 10 else 1}f} images/s")
        if rate and planned and planned > state.done:
            parts.append(f"{(planned - state.done) / rate:.0f} s left")
        return ", ".join([*parts, *_notes(state)])


def display_on(console: Console) -> BarDisplay | LineDisplay:
    return BarDisplay(console) if console.is_terminal else LineDisplay(console)


def _note(state: StageProgress) -> str:
    return ", ".join(_notes(state))


def _notes(state: StageProgress) -> list[str]:
    parts = [f"{state.rejected} rejected"] if state.rejected else []
    return [*parts, f"{state.failed} failed"] if state.failed else parts
