"""The progress of a run: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
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

from imagemill.job_logs import StageProgress
from imagemill_contract.keys import Stage

PLAIN_LINE_SECONDS = 5.0


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
        for stage in Stage:
            self._tasks[stage] = self._progress.add_task(stage, total=None, note="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, stages: Mapping[str, StageProgress], planned: int | None) -> None:
        for stage, task in self._tasks.items():
            state = stages.get(stage, StageProgress())
            self._progress.update(task, total=planned, completed=state.done, note=_note(state))


class LineDisplay:
    """A line every few seconds, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = self._last = time.monotonic()
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

    def show(self, stages: Mapping[str, StageProgress], planned: int | None) -> None:
        now = time.monotonic()
        complete = planned is not None and all(state.done == planned for state in stages.values())
        if now - self._last < PLAIN_LINE_SECONDS and not complete:
            return
        for stage, state in stages.items():
            if self._shown.get(stage) != state.done:
                self._shown[stage] = state.done
                self._console.print(self._line(stage, state, planned, now), highlight=False)
                self._last = now

    def _line(self, stage: str, state: StageProgress, planned: int | None, now: float) -> str:
        rate = state.done / max(now - self._started, 0.001)
        left = f", {(planned - state.done) / rate:.0f} s left" if planned and rate else ""
        note = f", {_note(state)}" if _note(state) else ""
        return f"{stage}: {state.done} of {planned or '?'} images, {rate:.0f} images/s{left}{note}"


def display_on(console: Console) -> BarDisplay | LineDisplay:
    return BarDisplay(console) if console.is_terminal else LineDisplay(console)


def _note(state: StageProgress) -> str:
    parts = [f"{state.rejected} rejected"] if state.rejected else []
    parts += [f"{state.failed} failed"] if state.failed else []
    return ", ".join(parts)
