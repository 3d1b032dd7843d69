from __future__ import annotations

import io

from rich.console import Console

from imagemill.display.steps import StepDisplay

EVENT = {"event": "checking", "done": 1200, "shards": 4000}


def shown_by(console: Console) -> str:
    with StepDisplay(console) as display:
        display.show(EVENT)
        display.show({"event": "damaged", "shard": "dataset/a.tar"})
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_how_many_shards_are_done() -> None:
    shown = shown_by(Console(file=io.StringIO(), force_terminal=True, width=80))
    assert "checking: 1,200 of 4,000 dataset shards" in shown


def test_nothing_is_shown_elsewhere() -> None:
    assert shown_by(Console(file=io.StringIO(), force_terminal=False)) == ""
