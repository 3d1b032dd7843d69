"""What stopped runs have left is told from what is in use, and from what a person has put there."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagemill_dataset.names import shard_tag
from imagemill_worker.dataset.leftovers import Leftovers
from imagemill_worker.dataset.store import DatasetStore
from tests.helpers.outputs import output_of

PART = f".{'0123456789ab' * 2}.part"


def shard_of(run_id: str, split: str = "train") -> str:
    return f"dataset/images-{split}-{shard_tag(run_id, '00000')}-0000.tar"


NAMED = shard_of("run-1")
FOUND = [
    NAMED,
    shard_of("run-2"),
    shard_of("run-3"),
    "dataset/notes.tar",
    "dataset/index.parquet/0123456789abcdef.parquet",
    "intermediate/run-2/00000/0.tar",
    "intermediate/run-3/00000/0.tar",
    "intermediate/run-3/00001/0.tar",
    f"journal/run-3/resize/00000/{PART}",
    f"resized/{PART}",
    "resized/.of-a-person.part",
]


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Leftovers:
    with output_of("folder", tmp_path, monkeypatch) as output:
        for key in FOUND:
            output.put(key, b"")
        return Leftovers.found(DatasetStore.open(output.address))


def test_all_that_may_be_left_is_found(left: Leftovers) -> None:
    assert left.shards == sorted([NAMED, shard_of("run-2"), shard_of("run-3")])
    assert sorted(left.folders) == ["intermediate/run-2/", "intermediate/run-3/", "journal/run-3/"]
    assert left.parts == [f"resized/{PART}"]


def test_what_the_index_names_and_what_an_open_run_needs_stays(left: Leftovers) -> None:
    over = left.without({NAMED}, ["run-2"])
    assert dict(over.names()) == {
        shard_of("run-3"): 1,
        "intermediate/run-3/": 2,
        "journal/run-3/": 1,
    }
    assert len(list(over.keys())) == 4


def test_everything_else_goes_when_no_run_is_open(left: Leftovers) -> None:
    assert set(left.without({NAMED}, []).keys()) == {*FOUND} - {
        NAMED,
        "dataset/notes.tar",
        "dataset/index.parquet/0123456789abcdef.parquet",
        "resized/.of-a-person.part",
    }
