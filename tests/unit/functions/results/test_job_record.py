from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from obstore.exceptions import GenericError

from imagemill_app.results.job_record import job_record
from imagemill_app.results.shard_outcomes import complete_outcomes
from imagemill_app.stores import read_bytes
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, encode_journal, encode_outcomes
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset.shards import DatasetShard, PixelSums

NAMES = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
TAR = "dataset/images-train-0a1b2c3d-00000-{}.tar"


class Job:
    """A shard of four objects in a folder, and what its jobs leave."""

    def __init__(self, folder: Path, recipe: Recipe | None = None) -> None:
        self.folder = folder
        source = Location.of_folder(PurePosixPath("/photos"))
        output = Location.of_folder(PurePosixPath(folder))
        objects = [SourceObject(name, "e", 10) for name in NAMES]
        self.shard = Shard("run-1", "00000", source, output, recipe or Recipe(), objects)

    def put(self, key: str, body: bytes) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def note(self, page: int, *rows: Outcome, stage: Stage = Stage.RESIZE, **header: Any) -> None:
        key = keys.journal_key("run-1", stage, "00000", f"{page:06}")
        self.put(key, encode_journal(header, rows))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


@pytest.fixture
def packed_job(tmp_path: Path) -> Job:
    return Job(tmp_path, Recipe(output=Output.WEBDATASET))


def written(key: str, **fields: Any) -> Outcome:
    return Outcome(key, Status.WRITTEN, output_key=f"resized/{key}", **fields)


def failed(key: str) -> Outcome:
    return Outcome(key, Status.FAILED, Reason.STORE_ERROR)


def test_job_that_left_nothing_did_nothing(job: Job) -> None:
    record = job_record(job.shard, Stage.RESIZE)
    assert (dict(record.outcomes), record.dataset_shards, record.last_words) == ({}, [], "")


def test_pages_of_all_attempts_count_and_of_a_row_the_last_one(job: Job) -> None:
    job.note(0, written("a.jpg"), failed("b.jpg"), last_words="It was told to stop.")
    job.note(1, written("b.jpg"), last_words="The store did not answer.")
    record = job_record(job.shard, Stage.RESIZE)
    assert record.outcomes == {name: written(name) for name in NAMES[:2]}
    assert record.last_words == "The store did not answer."
    assert job_record(job.shard, Stage.EDGE).outcomes == {}


def test_journal_does_not_count_beside_an_outcome_document(job: Job) -> None:
    job.note(0, failed("a.jpg"))
    rows = [written(name) for name in NAMES]
    job.put(keys.outcome_key("run-1", Stage.RESIZE, "00000"), encode_outcomes({}, rows))
    assert job_record(job.shard, Stage.RESIZE).outcomes == {row.key: row for row in rows}


def test_outcome_document_of_other_objects_is_refused(job: Job) -> None:
    rows = [written(name) for name in NAMES[1:]]
    job.put(keys.outcome_key("run-1", Stage.RESIZE, "00000"), encode_outcomes({}, rows))
    with pytest.raises(DocumentError, match="are not those of its objects"):
        job_record(job.shard, Stage.RESIZE)


def test_page_that_cannot_be_read_is_as_good_as_none(job: Job) -> None:
    job.note(0, written("a.jpg"))
    job.put(keys.journal_key("run-1", Stage.RESIZE, "00000", "000001"), b"torn")
    job.note(2, written("b.jpg"), written("another.jpg"))
    assert list(job_record(job.shard, Stage.RESIZE).outcomes) == ["a.jpg", "b.jpg"]


def test_page_that_the_store_refuses_is_as_good_as_none(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.note(0, written("a.jpg"))
    job.note(1, written("b.jpg"))

    def refused(location: Location, key: str) -> bytes:
        if key.endswith("000000.jsonl.gz"):
            raise GenericError("The store answers InternalError.")
        return read_bytes(location, key)

    monkeypatch.setattr("imagemill_app.results.job_record.read_bytes", refused)
    assert list(job_record(job.shard, Stage.RESIZE).outcomes) == ["b.jpg"]


def dataset_shard(number: int, samples: int) -> DatasetShard:
    return DatasetShard(TAR.format(f"{number:04}"), "train", samples, 10, "ab" * 32, PixelSums())


def packed(name: str, shard: DatasetShard, position: int) -> Outcome:
    return Outcome(name, Status.WRITTEN, output_key=shard.key, position=position)


def test_samples_of_dataset_shards_that_are_not_closed_do_not_count(packed_job: Job) -> None:
    closed, short, unnamed = dataset_shard(0, 2), dataset_shard(1, 2), dataset_shard(2, 1)
    packed_job.note(
        0,
        *(packed(name, closed, at) for at, name in enumerate(NAMES[:2])),
        stage=Stage.EDGE,
        shards=[closed.to_row()],
    )
    packed_job.note(
        1,
        packed("c.jpg", short, 0),
        packed("d.jpg", unnamed, 0),
        stage=Stage.EDGE,
        shards=[short.to_row()],
    )
    record = job_record(packed_job.shard, Stage.EDGE)
    assert list(record.outcomes) == NAMES[:2]
    assert (record.dataset_shards, record.verified) == ([closed], {"shards": 1, "samples": 2})


def test_what_a_failed_job_has_not_reached_is_failed_with_its_last_words(job: Job) -> None:
    job.note(0, written("a.jpg"), last_words="The disk is full.")
    record = job_record(job.shard, Stage.RESIZE)
    outcomes = complete_outcomes(job.shard, record, "The job failed: exit code 75.", {})
    assert outcomes[0] == written("a.jpg")
    assert {row.detail for row in outcomes[1:]} == {
        "The job failed: exit code 75. The disk is full."
    }
    before = {Stage.RESIZE: outcomes}
    edges = complete_outcomes(job.shard, job_record(job.shard, Stage.EDGE), "", before)
    assert [row.status for row in edges] == [Status.FAILED, *[Status.SKIPPED] * 3]
