"""`imagemill status`: how far a run is, once or until it ends."""

from __future__ import annotations

import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from imagemill.deployed.progress import Look, Watch
from imagemill.deployed.runs import RunState
from imagemill.deployed.stack import usable_stack
from imagemill.display.lines import print_json, print_line
from imagemill.display.looks import lines_of, look_document, print_look
from imagemill.errors import RunFailedError
from imagemill.options.stack import StackChoice

WATCH_SECONDS = 2.0
LINES_SECONDS = 10.0  # between lines where there is no terminal


def status(run_id: str | None, choice: StackChoice, *, watch: bool, as_json: bool) -> None:
    """Print how far a run is; with `watch`, until it ends.

    Raises UsageError if there is no such run, and RunFailedError if a watched one does not succeed.
    """
    watched = Watch(usable_stack(choice), run_id)
    look = _last_look(watched, Console(stderr=as_json)) if watch else watched.look()
    if as_json:
        print_json(look_document(look))
    else:
        print_look(Console(), look)
    if watch and look.run.state is not RunState.SUCCEEDED:
        raise RunFailedError(f"{look.run.run_id} {look.run.state}.")


def _last_look(watched: Watch, console: Console) -> Look:
    """Show a run until it ends. It goes on when the watching is stopped."""
    run_id = watched.run.run_id
    try:
        if console.is_terminal:
            return _live(watched, console)
        return _in_lines(watched, console)
    except (KeyboardInterrupt, SystemExit):
        print_line(
            Console(stderr=True),
            f"{run_id} goes on. Watch it again: imagemill status {run_id} --watch; "
            f"stop it: imagemill cancel {run_id}",
        )
        raise


def _live(watched: Watch, console: Console) -> Look:
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while (look := watched.look()).run.is_running:
            live.update(Text("\n".join(lines_of(look))), refresh=True)
            time.sleep(WATCH_SECONDS)
    return look


def _in_lines(watched: Watch, console: Console) -> Look:
    shown = ""
    while (look := watched.look()).run.is_running:
        _state, *stages = lines_of(look)
        line = "; ".join(" ".join(stage.split()) for stage in stages)
        if line != shown:
            print_line(console, line)
        shown = line
        time.sleep(LINES_SECONDS)
    return look
