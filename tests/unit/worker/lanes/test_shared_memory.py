"""The queue and the note of danger, as several processes see them."""

from __future__ import annotations

import multiprocessing
import os
import time

from imagemill_worker.lanes.shared_memory import DangerNote, WorkQueue

# With "fork", the other process has the descriptors; no thread of this one is needed in it.
FORK = multiprocessing.get_context("fork")


def test_each_index_is_taken_once_by_all_together() -> None:
    queue = WorkQueue.of(range(1000))
    read_end, write_end = os.pipe()

    def take_all() -> None:
        taken = []
        while (index := queue.take()) is not None:
            taken.append(index)
        os.write(write_end, ("".join(f"{index} " for index in taken)).encode())

    takers = [FORK.Process(target=take_all) for _ in range(3)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    os.close(write_end)
    taken = b""
    while data := os.read(read_end, 1 << 16):
        taken += data
    assert sorted(map(int, taken.split())) == list(range(1000))
    assert queue.take() is None
    queue.close()
    os.close(read_end)


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
    for index in range(times):
        note.enter(index)
        note.clear()


def test_a_note_is_never_seen_with_a_time_of_long_ago() -> None:
    """Seen between two writes it would get a good picture rejected as one that takes too long."""
    note = DangerNote()
    writer = FORK.Process(target=enter_and_leave, args=(note, 300_000))
    writer.start()
    longest_seconds, seen = 0.0, 0
    while writer.is_alive():
        found = note.read()
        if found is not None:
            seen += 1
            longest_seconds = max(longest_seconds, found[1])
    writer.join()
    assert seen > 100
    assert longest_seconds < 30
    note.close()
