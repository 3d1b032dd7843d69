"""The list of runs is right however many runs end at once, in a bucket and in a folder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath
from threading import Barrier
from typing import Any

import pytest
from obstore.exceptions import GenericError

from imagemill_app import swaps
from imagemill_app.aggregate import run_index
from imagemill_app.aggregate.run_index import RunListBusyError, add_to_run_list
from imagemill_app.stores import read_bytes, write_bytes
from imagemill_app.swaps import find, swap
from imagemill_contract.keys import RUN_LIST
from imagemill_contract.locations import Location
from imagemill_contract.reporting.run_list import RunRow, decode_runs
from tests.helpers.run_steps import OUTPUT

AT_ONCE = 8
ROW = RunRow("run", "2026-11-23", "", "succeeded", "", "", "", 1, 1, 0, 0, 1, None, "report")


@pytest.fixture(params=["bucket", "folder"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "folder":
        return Location.of_folder(PurePosixPath(tmp_path))
    request.getfixturevalue("aws")
    return Location(f"s3://{OUTPUT}", "some/where/")


def test_runs_that_end_at_once_are_all_in_the_list(output: Location) -> None:
    start = Barrier(AT_ONCE)

    def end(number: int) -> None:
        start.wait()
        add_to_run_list(output, replace(ROW, run_id=f"run-{number}"))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(end, range(AT_ONCE)))
    rows = decode_runs(read_bytes(output, RUN_LIST))
    assert {row.run_id for row in rows} == {f"run-{number}" for number in range(AT_ONCE)}


def test_only_what_was_read_is_replaced(output: Location) -> None:
    assert swap(output, "a", b"1", None)
    assert not swap(output, "a", b"2", None)
    found = find(output, "a")
    assert found is not None
    assert swap(output, "a", b"2", found)
    assert not swap(output, "a", b"3", found)
    assert read_bytes(output, "a") == b"2"


@pytest.mark.parametrize("is_written", [True, False], ids=["written", "not written"])
@pytest.mark.parametrize("earlier", [b"1", None], ids=["replaced", "new"])
def test_lost_answer_is_no_failure(
    aws: None, monkeypatch: pytest.MonkeyPatch, is_written: bool, earlier: bytes | None
) -> None:
    output = Location(f"s3://{OUTPUT}", "some/where/")
    if earlier is not None:
        write_bytes(output, "a", earlier)
    swap_object, lost = swaps._swap_object, [True]

    def loses_the_first(*args: Any) -> bool:
        if not lost:
            return swap_object(*args)
        lost.pop()
        if is_written:
            swap_object(*args)
        raise GenericError("error sending request")

    monkeypatch.setattr(swaps, "_swap_object", loses_the_first)
    assert swap(output, "a", b"2", find(output, "a"))
    assert (read_bytes(output, "a"), lost) == (b"2", [])


def test_what_another_has_written_while_an_answer_was_lost_stays(
    aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = Location(f"s3://{OUTPUT}", "some/where/")

    def another(*_: Any) -> bool:
        write_bytes(output, "a", b"of another")
        raise GenericError("error sending request")

    monkeypatch.setattr(swaps, "_swap_object", another)
    assert not swap(output, "a", b"2", None)
    assert read_bytes(output, "a") == b"of another"


def test_a_run_that_never_gets_its_turn_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> bool:
        return False

    monkeypatch.setattr(run_index, "swap", never)
    monkeypatch.setattr(run_index, "LONGEST_PAUSE_SECONDS", 0.0)
    with pytest.raises(RunListBusyError, match="100 times in a row"):
        add_to_run_list(Location.of_folder(PurePosixPath(tmp_path)), ROW)
