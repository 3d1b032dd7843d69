"""Processes of lanes that are there before there is anything to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagemill_contract.keys import Stage
from imagemill_worker.lanes import spares
from tests.helpers.jobs import Folder
from tests.helpers.pictures import jpeg
from tests.helpers.waiting import PATIENCE_SECONDS, until


@pytest.fixture(autouse=True)
def no_spares() -> Iterator[None]:
    yield
    spares.close_spares()


def test_spares_are_taken_before_others_are_started() -> None:
    spares.start_spares(Stage.EDGE, 2)
    waiting = {one.process.pid for one in spares._spares}
    taken = [spares.next_lane(Stage.EDGE) for _ in range(3)]
    assert {one.process.pid for one in taken[:2]} == waiting
    assert taken[2].process.pid not in waiting
    for one in taken:
        one.close()
    assert spares._spares == []


def test_a_spare_that_nobody_wants_is_ended() -> None:
    spares.start_spares(Stage.EDGE, 1)
    (spare,) = spares._spares
    spares.close_spares()
    assert spare.process.returncode == -signal.SIGKILL


def test_a_spare_ends_with_its_supervisor() -> None:
    spare = spares.LaneStart.of(Stage.EDGE)
    spare.link.close()
    assert spare.process.wait(PATIENCE_SECONDS) == 1


def test_what_is_sent_to_a_process_that_has_died_is_lost() -> None:
    spare = spares.LaneStart.of(Stage.EDGE)
    spare.process.kill()
    spare.process.wait()
    spare.send([0], b"{}\n")
    spare.close()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_job_that_cannot_begin_leaves_no_process(tmp_path: Path) -> None:
    """Its lanes are started before its shard is read."""
    folder = Folder(tmp_path)
    folder.put("a.jpg", jpeg(32, 32))
    shown = tmp_path / "pid"
    code = (
        "import pathlib, sys\n"
        "from imagemill_worker.lanes import spares\n"
        "from imagemill_worker.cli import main\n"
        "start = spares.start_spares\n"
        "def noted(stage, count):\n"
        "    start(stage, count)\n"
        "    pathlib.Path(sys.argv[1]).write_text(str(spares._spares[0].process.pid))\n"
        "spares.start_spares = noted\n"
        "sys.exit(main(['resize', '--shard', 'file:///no/such/shard.jsonl.gz']))\n"
    )
    env = {**os.environ, "ALLOW_FILE_URIS": "true", "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", code, str(shown)], env=env, capture_output=True)
    assert ended.returncode != 0
    pid = int(shown.read_text())
    until(lambda: not is_alive(pid), "the spare process has ended")
