"""A run that ends while the index is rewritten, at whatever moment, keeps what it has."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count

import pytest

from imagemill_contract import keys
from imagemill_contract.index_keys import compacted_index_key
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset.files.croissant import IndexTable
from imagemill_dataset.files.dataset_files import dataset_files
from imagemill_dataset.files.holdings import Holdings
from imagemill_dataset.index import Entry, Index, IndexedRun, Place
from imagemill_dataset.parts import merging, written_part
from imagemill_dataset.parts.merging import merge_parts
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_dataset.stored_dataset import publish_dataset
from imagemill_dataset.stored_index import StoredIndex, read_index, write_index_part
from imagemill_dataset.tables.index_table import index_table
from imagemill_dataset.upkeep_lock import UpkeepLock
from imagemill_worker.dataset.index_swap import put_in_place
from imagemill_worker.errors import TryAgainError
from tests.helpers.memory_store import MemoryStore

RECIPE = Recipe(output=Output.WEBDATASET).to_document()


def run_at(minute: int) -> IndexedRun:
    return IndexedRun(f"run-{minute}", f"2026-11-23T10:{minute:02}:00.000Z", "s3://b/full/", RECIPE)


def sample(run: IndexedRun, shard: str, position: int = 0) -> Entry:
    return Entry("e1", None, run, place=Place(shard, position, 8, 8, 9, 3, "ab" * 32))


def shard_of(key: str, samples: int) -> DatasetShard:
    return DatasetShard(key, "train", samples, 10, "cd" * 32, PixelSums(1, (1, 1, 1), (1, 1, 1)))


class Interrupted(MemoryStore):
    """A store, and a lease on it, that calls `before_step` with its number before it changes."""

    number = 1

    def __init__(self) -> None:
        super().__init__()
        self.steps = count(1)
        self.before_step: Callable[[int], None] = lambda _: None

    def write(self, key: str, body: bytes) -> None:
        self.before_step(next(self.steps))
        super().write(key, body)

    def remove(self, keys: Iterable[str]) -> None:
        for key in list(keys):
            self.before_step(next(self.steps))
            super().remove([key])


class Rewritten:
    """Three samples in two shards, of two runs, which one new shard replaces."""

    def __init__(self) -> None:
        self.lease = Interrupted()
        self.plain = MemoryStore()  # the same objects, as everybody else has them
        self.plain.objects = self.lease.objects
        self.lease.write(keys.upkeep_lock_key(1), UpkeepLock("me", "compact", 2e10).encode())
        for minute, names in ((1, "ab"), (2, "c")):
            self.pack(minute, names)
        self.old = [key for key in self.plain.objects if key.startswith(keys.DATASET)]
        publish_dataset(self.plain, run_at(2))
        self.lease.steps = count(1)

    def pack(self, minute: int, names: str) -> None:
        run, key = run_at(minute), f"dataset/{minute}.tar"
        self.plain.objects[key] = b"samples"
        entries = {name: sample(run, key, at) for at, name in enumerate(names)}
        write_index_part(self.plain, run, entries, [shard_of(key, len(names))])

    def rewrite(self) -> None:
        index = StoredIndex.opened(self.plain)
        new = shard_of("dataset/new.tar", 3)
        self.plain.objects[new.key] = b"samples"
        shards = {**index.shards, new.key: new}
        rows = index.rows()
        moved = ((key, sample(entry.run, new.key, "abc".index(key))) for key, entry in rows)
        put_in_place(self.lease, index, moved, shards, self.old)  # type: ignore[arg-type]

    def check(self, wanted: dict[str, str]) -> None:
        """All samples are where the index says, and the files beside them show just that."""
        index = read_index(self.plain)
        found = {name: entry.place.shard for name, entry in index.entries.items() if entry.place}
        assert found == wanted
        assert set(index.shards) == set(wanted.values())
        there = {key for key in self.plain.objects if key.endswith(".tar")}
        assert there == set(wanted.values())
        (key,) = self.plain.keys(keys.INDEX_TABLE)
        body = index_table(sorted(index.entries.items()), index.shards)
        assert self.plain.objects[key] == body
        held = Holdings.of_entries(index.entries.values(), index.shards)
        table = IndexTable(key, len(body), hashlib.sha256(body).hexdigest())
        for name, text in dataset_files(held, [table], {}, run_at(9)).items():
            assert self.plain.objects[name] == text


AFTER = {"a": "dataset/new.tar", "b": "dataset/new.tar", "c": "dataset/new.tar"}


def steps_of_a_rewrite() -> int:
    rewritten = Rewritten()
    rewritten.rewrite()
    rewritten.check(AFTER)
    return next(rewritten.lease.steps) - 1


STEPS = steps_of_a_rewrite()


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_run_that_ends_at_any_step_keeps_its_samples(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MAX_PARTS", 1)
    rewritten = Rewritten()

    def run_ends(at: int) -> None:
        if at == step:
            rewritten.pack(3, "cd")
            publish_dataset(rewritten.plain, run_at(3))
            merge_parts(rewritten.plain)

    rewritten.lease.before_step = run_ends
    rewritten.rewrite()
    rewritten.check(AFTER | {"c": "dataset/3.tar", "d": "dataset/3.tar"})


@pytest.mark.parametrize("first", range(1, STEPS + 1))
def test_run_that_publishes_slowly_never_leaves_files_that_name_what_is_gone(first: int) -> None:
    for last in range(first, STEPS + 2):
        rewritten = Rewritten()
        has_read, may_write = threading.Event(), threading.Event()
        other = MemoryStore()
        other.objects = rewritten.plain.objects

        def wait(read: threading.Event = has_read, write: threading.Event = may_write) -> None:
            read.set()
            assert write.wait(30)

        other.before_write = wait
        publishing = threading.Thread(target=publish_dataset, args=(other, run_at(3)))

        def beside(
            at: int,
            made: Rewritten = rewritten,
            thread: threading.Thread = publishing,
            end: int = last,
            read: threading.Event = has_read,
            write: threading.Event = may_write,
        ) -> None:
            if at == first:
                made.pack(3, "cd")
                thread.start()
                assert read.wait(30)
            if at == end:
                write.set()
                thread.join()

        rewritten.lease.before_step = beside
        rewritten.rewrite()
        may_write.set()
        publishing.join()
        rewritten.check(AFTER | {"c": "dataset/3.tar", "d": "dataset/3.tar"})


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_rewrite_that_is_killed_at_any_step_is_finished_by_the_next(step: int) -> None:
    rewritten = Rewritten()

    def die(at: int) -> None:
        if at == step:
            raise KeyboardInterrupt

    rewritten.lease.before_step = die
    with pytest.raises(KeyboardInterrupt):
        rewritten.rewrite()
    index = read_index(rewritten.plain)
    for entry in index.entries.values():
        assert entry.place
        assert entry.place.shard in rewritten.plain.objects
    rewritten.lease.before_step = lambda _: None
    rewritten.lease.number = 2
    if not index.shards.keys().isdisjoint(rewritten.old):
        rewritten.rewrite()
    rewritten.check(AFTER)


def test_shard_that_counts_again_is_not_removed() -> None:
    rewritten = Rewritten()

    def another_changes_the_index(at: int) -> None:
        if at == 2:
            run = run_at(4)
            shard = shard_of(rewritten.old[0], 2)
            write_index_part(rewritten.plain, run, {"z": sample(run, shard.key, 7)}, [shard])

    rewritten.lease.before_step = another_changes_the_index
    with pytest.raises(TryAgainError, match="has changed meanwhile"):
        rewritten.rewrite()
    assert set(rewritten.old) <= set(rewritten.plain.objects)
    card = json.loads(rewritten.plain.objects[keys.DATASET_CARD])
    assert rewritten.old[0] in [shard["key"] for shard in card["shards"]]


def test_late_part_of_who_lost_the_lock_counts_less() -> None:
    rewritten = Rewritten()
    index = read_index(rewritten.plain)
    rewritten.lease.number = 2
    rewritten.rewrite()
    late = Index(index.entries, index.shards).encode()
    last = run_at(2)
    rewritten.plain.objects[compacted_index_key(last.started, last.run_id, 1, late)] = late
    found = read_index(rewritten.plain).entries
    assert {entry.place.shard for entry in found.values() if entry.place} == {"dataset/new.tar"}


def test_rows_of_large_parts_go_with_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written_part, "INLINE_ROWS", 1)
    rewritten = Rewritten()
    assert len(rewritten.plain.keys(keys.LEAVES)) == 1
    rewritten.rewrite()
    rewritten.check(AFTER)
    found = {leaf.key for part in StoredIndex.opened(rewritten.plain).parts for leaf in part.leaves}
    assert found
    assert set(rewritten.plain.keys(keys.LEAVES)) == found


def test_rewrite_of_large_parts_that_is_killed_at_any_step_is_finished_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(written_part, "INLINE_ROWS", 1)
    monkeypatch.setattr(written_part, "LEAF_ROWS", 2)
    for step in count(1):
        rewritten = Rewritten()
        killed: list[int] = []

        def die(at: int, step: int = step, killed: list[int] = killed) -> None:
            if at == step:
                killed.append(at)
                raise KeyboardInterrupt

        rewritten.lease.before_step = die
        with suppress(KeyboardInterrupt):
            rewritten.rewrite()
        if not killed:
            assert step > STEPS  # leaves are steps, too
            break
        rewritten.lease.before_step = lambda _: None
        rewritten.lease.number = 2
        if not StoredIndex.opened(rewritten.plain).shards.keys().isdisjoint(rewritten.old):
            rewritten.rewrite()
        rewritten.check(AFTER)
