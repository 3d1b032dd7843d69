"""Nothing falls between two windows: the cases of docs/decisions/0006, one by one."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagemill_app.ingest.inbox import MAX_WINDOWS_TRIED, Inbox, InboxError, sealed_uploads
from imagemill_app.ingest.spent import Spent
from imagemill_app.ingest.uploads import Group, Upload, group_of
from imagemill_app.plan.sharding import balanced_shards
from imagemill_app.stores import write_bytes
from imagemill_contract.document_parts.lines import encode_lines
from imagemill_contract.keys import group_key
from imagemill_contract.locations import Location
from imagemill_contract.reporting.lambda_usage import LambdaUsage
from imagemill_contract.requests.windows import Window

SOURCE = Location("s3://input-bucket", "full/")
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
WINDOW = Window.at(NOON, 60)


def same(moment: datetime) -> datetime:
    return moment


def group(*names: str, sequencer: str = "01", etag: str = "e") -> Group:
    uploads = [Upload("input-bucket", f"full/{name}", etag, 1, sequencer) for name in names]
    made = group_of(uploads, SOURCE)
    assert made is not None
    return made


class Runs:
    """Stands for the state machine: which windows' runs are under way, sealed or ended."""

    def __init__(self, bucket: Location) -> None:
        self.bucket = bucket
        self.taken: dict[str, list[str]] = {}
        self.ended: set[str] = set()

    def start(self, window: Window) -> bool:
        return window.name not in self.ended

    def plan(self, window: Window) -> None:
        """The window's run seals it and takes what is there; then it has ended."""
        gathered = sealed_uploads(self.bucket, window)
        objects = gathered.objects if gathered else []
        self.taken[window.name] = [item.key for item in objects]
        self.ended.add(window.name)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(Location.of_folder(PurePosixPath(tmp_path)), window_seconds=60, grace_seconds=10)


@pytest.fixture
def runs(inbox: Inbox) -> Runs:
    return Runs(inbox.bucket)


def test_groups_of_one_window_are_one_run_each_key_once_and_the_newest(inbox: Inbox) -> None:
    runs = Runs(inbox.bucket)
    inbox.put(group("a.jpg", "b.jpg"), lambda: NOON, runs.start)
    inbox.put(group("b.jpg", sequencer="02", etag="new"), lambda: NOON, runs.start)
    inbox.put(group("a.jpg", "b.jpg"), lambda: NOON, runs.start)
    gathered = sealed_uploads(inbox.bucket, WINDOW)
    assert gathered is not None
    assert gathered.source == SOURCE
    assert [(item.key, item.etag) for item in gathered.objects] == [
        ("full/a.jpg", "e"),
        ("full/b.jpg", "new"),
    ]
    assert gathered.duplicates == 1  # the same document twice is one document


def test_what_it_took_to_gather_the_groups_of_a_window_adds_up(inbox: Inbox) -> None:
    runs = Runs(inbox.bucket)
    spent = Spent(40, LambdaUsage(1, 0.5, {"get": 2}))
    inbox.put(group("a.jpg"), lambda: NOON, runs.start, lambda: spent)
    inbox.put(group("b.jpg"), lambda: NOON, runs.start, lambda: spent)
    old = encode_lines("group", {"source": str(SOURCE)}, [])  # of before that was noted
    write_bytes(inbox.bucket, group_key(WINDOW.name, b"old"), old)
    gathered = sealed_uploads(inbox.bucket, WINDOW)
    assert gathered is not None
    # each document itself is one more PUT, and after it the seal is looked for
    assert gathered.spent == Spent(80, LambdaUsage(2, 1.0, {"get": 6, "put": 2}))


def test_event_that_arrives_while_its_run_is_planning_goes_to_the_next_window(
    inbox: Inbox, runs: Runs
) -> None:
    def start_while_the_run_seals(window: Window) -> bool:
        if window == WINDOW:  # between the put and the look at the seal
            runs.plan(window)
            runs.ended.clear()
        return True

    inbox.put(group("early.jpg"), lambda: NOON, runs.start)
    taken_by = inbox.put(group("late.jpg"), lambda: NOON, start_while_the_run_seals)
    assert taken_by == WINDOW.next()
    runs.plan(taken_by)
    assert "full/late.jpg" in runs.taken[taken_by.name]


def test_start_that_fails_after_the_document_is_written_loses_nothing(
    inbox: Inbox, runs: Runs
) -> None:
    def outage(window: Window) -> bool:
        raise ConnectionError(window.name)

    with pytest.raises(ConnectionError):  # so the messages stay in the queue
        inbox.put(group("a.jpg"), lambda: NOON, outage)
    later = inbox.put(group("a.jpg"), lambda: NOON + timedelta(minutes=5), runs.start)
    runs.plan(later)
    assert runs.taken[later.name] == ["full/a.jpg"]


def test_clock_that_jumps_back_ends_in_a_window_that_is_open(inbox: Inbox, runs: Runs) -> None:
    for index in range(3):
        now = partial(same, NOON + timedelta(minutes=index))
        window = inbox.put(group(f"{index}.jpg"), now, runs.start)
        runs.plan(window)
    back = inbox.put(group("back.jpg"), lambda: NOON, runs.start)
    assert back == WINDOW.next().next().next()
    runs.plan(back)
    assert runs.taken[back.name] == ["full/back.jpg"]


def test_run_that_ended_without_a_seal_is_passed_over(inbox: Inbox, runs: Runs) -> None:
    runs.ended.add(WINDOW.name)  # it failed before it read anything
    assert inbox.put(group("a.jpg"), lambda: NOON, runs.start) == WINDOW.next()


def test_group_that_no_window_takes_is_raised(inbox: Inbox) -> None:
    with pytest.raises(InboxError, match=f"{MAX_WINDOWS_TRIED} windows"):
        inbox.put(group("a.jpg"), lambda: NOON, lambda window: False)


def test_empty_window_has_nothing(inbox: Inbox) -> None:
    assert sealed_uploads(inbox.bucket, WINDOW) is None


events = st.lists(st.integers(0, 9), min_size=1, max_size=5)
steps = st.lists(
    st.tuples(events, st.integers(0, 200), st.booleans(), st.booleans()), min_size=1, max_size=8
)


@settings(max_examples=60)
@given(steps)
def test_every_upload_is_taken_whatever_the_order_and_whenever_runs_plan(
    deliveries: list[tuple[list[int], int, bool, bool]],
) -> None:
    """Batches at any times, with duplicates; runs may seal before, or in the middle of, a put."""
    with tempfile.TemporaryDirectory() as folder:
        bucket = Location.of_folder(PurePosixPath(folder))
        inbox, runs = Inbox(bucket, 60, 10), Runs(bucket)
        uploaded: set[str] = set()
        started: set[Window] = set()
        for numbers, second, seals_before, seals_within in deliveries:
            moment = NOON + timedelta(seconds=second)
            if seals_before:
                runs.plan(Window.at(moment, 60))

            first = Window.at(moment, 60) if seals_within else None

            def start(window: Window, *, sealed_within: Window | None = first) -> bool:
                if not runs.start(window):
                    return False
                started.add(window)
                if window == sealed_within and window.name not in runs.taken:
                    runs.plan(window)
                return True

            batch = group(*(f"{number}.jpg" for number in numbers))
            inbox.put(batch, partial(same, moment), start)
            uploaded |= {f"full/{number}.jpg" for number in numbers}
        for window in started:
            if window.name not in runs.taken:
                runs.plan(window)
        taken = [key for keys in runs.taken.values() for key in keys]
        assert set(taken) == uploaded
        assert all(max(Counter(keys).values(), default=1) == 1 for keys in runs.taken.values())


def test_duplicated_and_shuffled_events_always_give_one_run_and_the_same_plan(
    tmp_path: Path,
) -> None:
    uploads = [
        Upload("input-bucket", f"full/{number:03}.jpg", f"e{number}", 700_000, f"{number:04X}")
        for number in range(300)
    ]
    plans, windows = set(), set()
    for seed in range(20):
        draw = random.Random(seed)
        events = uploads + draw.choices(uploads, k=60)
        draw.shuffle(events)
        inbox = Inbox(Location.of_folder(PurePosixPath(tmp_path / str(seed))), 60, 10)
        while events:
            size = draw.randint(1, 120)
            batch, events = group_of(events[:size], SOURCE), events[size:]
            assert batch is not None
            windows.add(inbox.put(batch, lambda: NOON, lambda window: True))
        gathered = sealed_uploads(inbox.bucket, WINDOW)
        assert gathered is not None
        shards = balanced_shards(gathered.objects, 8, min_shard_seconds=0.5)
        plans.add(tuple(tuple(shard) for shard in shards))
    assert windows == {WINDOW}
    (plan,) = plans
    assert sum(map(len, plan)) == 300
