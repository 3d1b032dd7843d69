from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_app import labels
from imagemill_app.labels import LabelsError, numbered_classes
from imagemill_app.stores import StoreAt, create_bytes, list_keys
from imagemill_contract.keys import LABELS
from imagemill_contract.locations import Location
from imagemill_dataset.stored_dataset import read_labels

classes = st.text("abcé/ .", min_size=1, max_size=4)
RUNS = 12


@pytest.fixture
def output(tmp_path: Path) -> Location:
    return Location.of_folder(PurePosixPath(tmp_path))


@given(st.lists(st.sets(classes, max_size=5), max_size=6))
def test_number_is_kept_in_whatever_order_and_batches_classes_come(runs: list[set[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        output = Location.of_folder(PurePosixPath(folder))
        known: dict[str, int] = {}
        for wanted in runs:
            numbers = numbered_classes(output, wanted)
            assert wanted <= set(numbers)
            assert {name: numbers[name] for name in known} == known
            assert sorted(numbers.values()) == list(range(len(numbers)))
            assert numbers == read_labels(StoreAt(output))
            known = numbers


@pytest.mark.parametrize("attempt", range(5))
def test_runs_at_once_give_no_number_twice_and_no_class_two(attempt: int, output: Location) -> None:
    start = Barrier(RUNS)

    def run(number: int) -> dict[str, int]:
        start.wait()
        return numbered_classes(output, {f"class-{(number + step) % 15:02}" for step in range(4)})

    with ThreadPoolExecutor(RUNS) as pool:
        found = list(pool.map(run, range(RUNS)))
    numbers = read_labels(StoreAt(output))
    assert sorted(numbers.values()) == list(range(15))
    for own in found:
        assert own == {name: numbers[name] for name in own}


def test_nothing_is_written_when_all_classes_have_a_number(output: Location) -> None:
    numbered_classes(output, {"cats", "dogs"})
    assert numbered_classes(output, {"dogs"}) == {"cats": 0, "dogs": 1}
    assert list_keys(output, LABELS) == ["dataset/labels/00000000.json"]


def test_run_that_is_always_too_late_gives_up(
    output: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "create_bytes", lambda *_: False)
    with pytest.raises(LabelsError, match="2 classes"):
        numbered_classes(output, {"cats", "dogs"})


def test_object_is_created_once(output: Location) -> None:
    assert create_bytes(output, "dataset/labels/00000000.json", b"1")
    assert not create_bytes(output, "dataset/labels/00000000.json", b"2")
