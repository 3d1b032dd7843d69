"""Samples that a run without a report has packed are taken over by whole dataset shards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imagemill_app.plan.earlier.stopped_runs import Adopted, adopted_runs, clear_away
from imagemill_app.results.open_runs import OpenRun, indexed_run, write_open_run
from imagemill_app.results.work_done import work_done
from imagemill_app.stores import StoreAt, list_keys
from imagemill_contract import keys
from imagemill_contract.documents import encode_journal
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_dataset.index import Index
from imagemill_dataset.stored_index import StoredIndex, read_index
from tests.helpers.packed_runs import SHARD_ID, PackedRun

NAMES = [f"{number}.jpg" for number in range(6)]


@pytest.fixture
def run(tmp_path: Path) -> PackedRun:
    """Three dataset shards of two samples; the edge job was stopped when two were closed."""
    run = PackedRun(tmp_path, NAMES, most=2).put()
    (tmp_path / keys.outcome_key(run.run_id, Stage.EDGE, SHARD_ID)).unlink()
    header = {"shards": [shard.to_row() for shard in run.shards[:2]]}
    page = keys.journal_key(run.run_id, Stage.EDGE, SHARD_ID, "000000")
    (tmp_path / page).parent.mkdir(parents=True)
    (tmp_path / page).write_bytes(encode_journal(header, run.edges[:5]))
    write_open_run(run.output, OpenRun({**run.document, "alone": True}, frozenset(), frozenset()))
    return run


def taken_over(run: PackedRun, *, alone: bool) -> list[Adopted]:
    return adopted_runs(run.output, "run-2", StoreAt(run.output), alone=alone)


def write_parts(run: PackedRun, adopted: list[Adopted]) -> StoredIndex:
    for other in adopted:
        StoreAt(run.output).write(other.part_key, other.part)
    return StoredIndex.opened(StoreAt(run.output))


def test_samples_of_closed_shards_are_taken_over_with_their_places(run: PackedRun) -> None:
    (adopted,) = taken_over(run, alone=False)
    index = Index.of_parts([(adopted.part_key, adopted.part)])
    assert set(index.entries) == set(NAMES[:4])
    assert index.shards == {shard.key: shard for shard in run.shards[:2]}
    place = index.entries[NAMES[3]].place
    assert place is not None
    assert (place.shard, place.position, place.sha256) == (
        run.shards[1].key,
        1,
        run.resized[3].sha256,
    )


def test_rejected_pictures_are_taken_over_before_edges_begin(run: PackedRun) -> None:
    resized = [Outcome(NAMES[5], Status.REJECTED, Reason.CORRUPT)]
    (run.folder / keys.outcome_key(run.run_id, Stage.RESIZE, SHARD_ID)).unlink()
    (run.folder / keys.journal_key(run.run_id, Stage.EDGE, SHARD_ID, "000000")).unlink()
    page = keys.journal_key(run.run_id, Stage.RESIZE, SHARD_ID, "000000")
    (run.folder / page).parent.mkdir(parents=True)
    (run.folder / page).write_bytes(encode_journal({}, resized))
    (adopted,) = taken_over(run, alone=False)
    index = Index.of_parts([(adopted.part_key, adopted.part)])
    assert {name: entry.reason for name, entry in index.entries.items()} == {
        NAMES[5]: Reason.CORRUPT
    }


def test_work_of_a_shuffled_run_is_taken_over_whatever_the_order_of_its_shards(
    run: PackedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {**run.document, "recipe": {**run.document["recipe"], "shuffle": True}}
    write_open_run(run.output, OpenRun({**document, "alone": True}, frozenset(), frozenset()))
    (whole,) = work_done(run.output, indexed_run(run.document))
    names = list(whole.entries)
    pieces = [
        replace(whole, entries={name: whole.entries[name] for name in part})
        for part in (names[2:], names[:2])
    ]
    monkeypatch.setattr(
        "imagemill_app.plan.earlier.stopped_runs.work_done", lambda *_: iter(pieces)
    )
    (adopted,) = taken_over(run, alone=False)
    index = Index.of_parts([(adopted.part_key, adopted.part)])
    assert set(index.entries) == set(NAMES[:4])


def test_leftovers_of_a_run_go_when_it_is_surely_over(run: PackedRun) -> None:
    other = PackedRun(run.folder, NAMES, "run-9", most=3)
    adopted = taken_over(run, alone=True)
    clear_away(run.output, adopted, write_parts(run, adopted))
    left = list_keys(run.output, keys.DATASET)
    assert sorted(left) == sorted(shard.key for shard in (*run.shards[:2], *other.shards))
    for folder in (keys.OPEN_RUNS, keys.JOURNAL, keys.INTERMEDIATE):
        assert not (run.folder / folder).exists() or list_keys(run.output, folder) == []


def test_leftovers_of_a_run_that_may_be_on_stay(run: PackedRun) -> None:
    before = set(list_keys(run.output, ""))
    adopted = taken_over(run, alone=False)
    clear_away(run.output, adopted, write_parts(run, adopted))
    assert set(list_keys(run.output, "")) == before | {adopted[0].part_key}


def test_report_of_a_run_whose_edge_job_failed_keeps_its_closed_shards(run: PackedRun) -> None:
    verdict = run.report()
    assert verdict.stages["edge"]["written"] == 4
    assert verdict.stages["edge"]["failed"] == 2
    index = read_index(StoreAt(run.output))
    assert {name for name, entry in index.entries.items() if entry.place} == set(NAMES[:4])
    assert list_keys(run.output, keys.JOURNAL) == []
