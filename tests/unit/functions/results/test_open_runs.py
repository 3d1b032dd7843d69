from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from imagemill_app.results.open_runs import OpenRun, close_run, open_runs, write_open_run
from imagemill_contract.keys import open_run_key
from imagemill_contract.locations import Location
from imagemill_dataset.index import IndexedRun

RUN = {"run_id": "run-2", "started": "2026", "source": "s3://in/", "recipe": {"size": 8}}


@pytest.fixture
def output(tmp_path: Path) -> Location:
    return Location.of_folder(PurePosixPath(tmp_path))


def test_marker_says_what_was_known_when_the_run_was_planned(output: Location) -> None:
    marker = OpenRun(RUN, frozenset({"index/1.jsonl.gz"}), frozenset({"run-1"}))
    write_open_run(output, marker)
    (found,) = open_runs(output)
    assert found == marker
    assert found.indexed == IndexedRun("run-2", "2026", "s3://in/", {"size": 8})


def test_closed_run_is_not_open_and_can_be_closed_again(output: Location) -> None:
    write_open_run(output, OpenRun(RUN, frozenset(), frozenset()))
    close_run(output, "run-2")
    close_run(output, "run-2")
    assert open_runs(output) == []


def test_marker_of_another_version_is_left_alone(output: Location, tmp_path: Path) -> None:
    write_open_run(output, OpenRun(RUN, frozenset(), frozenset()))
    path = tmp_path / open_run_key("run-3")
    path.write_text(json.dumps({"v": 2, "anything": 1}))
    assert [found.run_id for found in open_runs(output)] == ["run-2"]
    assert path.exists()
