"""The queue and the note of danger, as several processes see them."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from pathlib import Path

from imagemill_worker.lanes.shared_memory import DangerNote, WorkQueue

# With "fork", the other process has the descriptors; no thread of this one is needed in it.
FORK = multiprocessing.get_context("fork")


def test_each_index_is_taken_once_by_all_together(tmp_path: Path) -> None:
    queue = WorkQueue.of(range(20_000))

    def take_all(number: int) -> None:
        taken = []
        while (index := queue.take()) is not None:
            taken.append(index)
        (tmp_path / str(number)).write_text(json.dumps(taken))

    takers = [FORK.Process(target=take_all, args=(number,)) for number in range(3)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    taken = [index for path in tmp_path.iterdir() for index in json.loads(path.read_text())]
    assert sorted(taken) == list(range(20_000))
    assert queue.take() is None
    queue.close()


def test_a_note_says_what_is_in_the_decoder_and_for_how_long() -> None:
    note = DangerNote()
    assert note.read() is None
    note.enter(7)
    time.sleep(0.02)
    found = DangerNote(os.dup(note.file_descriptor)).read()
    assert found is not None
    assert found[0] == 7
    assert 0.02 <= found[1] < 60
    note.clear()
    assert note.read() is None
    note.close()


def enter_and_leave(note: DangerNote, times: int) -> None:
    for _ in range(times):
        note.enter(7)
        note.clear()


def test_a_note_is_never_seen_with_a_time_of_long_ago() -> None:
    """Half written it would get a good picture rejected as one that takes too long."""
    note = DangerNote()
    writer = FORK.Process(target=enter_and_leave, args=(note, 300_000))
    writer.start()
    longest_seconds, seen = 0.0, 0
    while writer.is_alive():
        found = note.read()
        if found is not None:
            seen += 1
            assert found[0] == 7
            longest_seconds = max(longest_seconds, found[1])
    writer.join()
    assert seen > 100
    assert longest_seconds < 30
    note.close()
