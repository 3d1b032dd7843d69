"""A compaction beside a run or another compaction is refused, or nobody loses anything by it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imagemill_contract import keys
from imagemill_dataset.upkeep_lock import STALE_AFTER_SECONDS, UpkeepLock, locks_by_number
from imagemill_worker.dataset.compact import compact
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.dataset.verify import verify
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.stores.store import Store
from tests.helpers.datasets import Dataset
from tests.helpers.outputs import Output, output_of
from tests.helpers.pictures import jpeg

RUNNING = threading.Event()
STEPS = 17  # of such a compaction; only the last file and giving the lock back are after all checks


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Six pictures, of which one has changed."""
    dataset = Dataset(tmp_path_factory.mktemp("made"))
    dataset.run({f"{n}.jpg": jpeg(64 + n, 48) for n in range(5)})
    dataset.run({f"{n}.jpg": jpeg(90 + n, 48) for n in range(4, 6)})
    return dataset


@pytest.fixture(params=["folder", "s3"])
def output(
    request: pytest.FixtureRequest, tmp_path: Path, made: Dataset, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Output]:
    with output_of(request.param, tmp_path, monkeypatch) as output:
        output.copy(made.output)
        yield output


def digests(output: Output) -> dict[str, str]:
    entries = DatasetStore.open(output.address).read_index().entries
    return {name: entry.place.sha256 for name, entry in entries.items() if entry.place}


def test_compaction_is_refused_while_a_run_is_open(output: Output) -> None:
    output.put(keys.open_run_key("run-7"), b"{}")
    before = output.bodies()
    with pytest.raises(ArgumentsError) as refused:
        compact(output.address, RUNNING)
    assert str(refused.value) == (
        "run-7 has no report yet. Wait for the end; if it was stopped, start the next run, which "
        "takes over what it has done."
    )
    assert output.bodies() == before


def test_second_compaction_is_refused_and_the_first_goes_on(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, write_file, refused = digests(output), Store.write_file, []

    def beside(store: Store, key: str, file: Any) -> None:
        with pytest.raises(ArgumentsError, match="compact is at work there already") as error:
            compact(output.address, RUNNING)
        refused.append(error)
        write_file(store, key, file)

    monkeypatch.setattr(Store, "write_file", beside)
    compact(output.address, RUNNING)
    assert refused
    assert digests(output) == wanted
    assert len(output.keys("dataset/images-")) == 1
    assert output.keys(keys.UPKEEP) == []


class StallsAt:
    """Before a change of the store a compaction stalls until another has taken over, and ended."""

    def __init__(self, output: Output, step: int) -> None:
        self.output, self.step, self.steps, self.is_other = output, step, 0, False

    def before(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*arguments: Any) -> Any:
            self.steps += not self.is_other
            if self.steps == self.step and not self.is_other:
                self.is_other = True
                self.make_stale()
                compact(self.output.address, RUNNING)
                self.is_other = False
            return original(*arguments)

        return changed

    def make_stale(self) -> None:
        for number, lock in locks_by_number(DatasetStore.open(self.output.address)).items():
            long_ago = time.time() - STALE_AFTER_SECONDS - 1
            body = UpkeepLock(lock.holder, lock.command, long_ago).encode()
            self.output.put(keys.upkeep_lock_key(number), body)


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_compaction_that_lost_its_lock_at_any_step_spoils_nothing(
    step: int, made: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with output_of("folder", tmp_path, monkeypatch) as output:
        output.copy(made.output)
        wanted, stalled = digests(output), StallsAt(output, step)
        with monkeypatch.context() as patch:
            for name in ("write_file", "write_document", "remove"):
                patch.setattr(Store, name, stalled.before(getattr(Store, name)))
            if step < STEPS - 1:
                with pytest.raises(TryAgainError, match="may have taken over"):
                    compact(output.address, RUNNING)
            else:
                compact(output.address, RUNNING)
        assert stalled.steps == step
        assert digests(output) == wanted
        assert verify(output.address, RUNNING)
        compact(output.address, RUNNING)
        assert digests(output) == wanted
        shards = DatasetStore.open(output.address).read_index().shards
        assert output.keys("dataset/images-") == sorted(shards)
        card = json.loads(output.body(keys.DATASET_CARD))
        assert [shard["key"] for shard in card["shards"]] == sorted(shards)
        assert output.keys(keys.UPKEEP) == []


def test_compaction_whose_lock_was_taken_over_removes_nothing(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed, write_file = [], Store.write_file

    def stalls(store: Store, key: str, file: Any) -> None:
        StallsAt(output, 0).make_stale()
        output.put(keys.upkeep_lock_key(2), UpkeepLock("other", "compact", time.time()).encode())
        write_file(store, key, file)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write_file", stalls)
        patch.setattr(Store, "remove", lambda _store, keys: removed.extend(keys))
        with pytest.raises(TryAgainError, match="may have taken over"):
            compact(output.address, RUNNING)
    assert [key for key in removed if "upkeep/" not in key] == []
    assert len(output.keys(keys.INDEX)) == 2


def test_interrupted_compaction_frees_the_dataset(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write_file", interrupted)
        with pytest.raises(KeyboardInterrupt):
            compact(output.address, RUNNING)
    compact(output.address, RUNNING)
    assert output.keys(keys.UPKEEP) == []
