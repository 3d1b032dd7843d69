"""The queue and the note of danger, as several processes see them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from imagemill_worker.lanes.shared_memory import CurrentPictureNote, WorkQueue
from tests.helpers.jobs import ROOT

TAKE_ALL = """
import json, sys
from imagemill_worker.lanes.shared_memory import WorkQueue
queue = WorkQueue(int(sys.argv[1]))
taken = []
while (index := queue.take()) is not None:
    taken.append(index)
print(json.dumps(taken))
"""
ENTER_AND_LEAVE = """
import sys
from imagemill_worker.lanes.shared_memory import CurrentPictureNote
note = CurrentPictureNote(int(sys.argv[1]))
for _ in range(300_000):
    note.enter(7)
    note.clear()
"""


def started(program: str, file_descriptor: int) -> subprocess.Popen[bytes]:
    """A process that shares a memory file with this one."""
    return subprocess.Popen(
        [sys.executable, "-c", program, str(file_descriptor)],
        env={"PYTHONPATH": str(ROOT / "batch_worker")},
        pass_fds=[file_descriptor],
        stdout=subprocess.PIPE,
    )


def test_each_index_is_taken_once_by_all_together() -> None:
    queue = WorkQueue.of(range(20_000))
    takers = [started(TAKE_ALL, queue.file_descriptor) for _ in range(3)]
    taken = [index for taker in takers for index in json.loads(taker.communicate()[0])]
    assert sorted(taken) == list(range(20_000))
    assert queue.take() is None
    queue.close()


def test_a_note_says_what_is_in_the_decoder_and_for_how_long() -> None:
    note = CurrentPictureNote()
    assert note.read() is None
    note.enter(7)
    time.sleep(0.02)
    found = CurrentPictureNote(os.dup(note.file_descriptor)).read()
    assert found is not None
    assert found[0] == 7
    assert 0.02 <= found[1] < 60
    note.clear()
    assert note.read() is None
    note.close()


def test_a_note_is_never_seen_with_a_time_of_long_ago() -> None:
    """Half written it would get a good picture rejected as one that takes too long."""
    note = CurrentPictureNote()
    began = time.monotonic()
    writer = started(ENTER_AND_LEAVE, note.file_descriptor)
    longest_seconds, seen = 0.0, 0
    while writer.poll() is None:
        found = note.read()
        if found is not None:
            seen += 1
            assert found[0] == 7
            longest_seconds = max(longest_seconds, found[1])
    writer.communicate()
    assert seen > 100
    assert longest_seconds <= time.monotonic() - began
    note.close()
