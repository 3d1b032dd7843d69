"""The right to rewrite a dataset: one holder at a time, and who has lost it removes nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imagemill_contract.keys import UPKEEP, open_run_key, upkeep_lock_key
from imagemill_dataset.upkeep_lock import STALE_AFTER_SECONDS, UpkeepLock, is_locked
from imagemill_worker.dataset import lease as module
from imagemill_worker.dataset.lease import Lease, upkeep_lease
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError, TryAgainError
from tests.helpers.outputs import Output, output_of
from tests.helpers.waiting import until

FIRST = upkeep_lock_key(1)


@pytest.fixture(params=["folder", "s3"])
def output(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Output]:
    with output_of(request.param, tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def dataset(output: Output) -> DatasetStore:
    return DatasetStore.open(output.address)


def lock(age_seconds: float, holder: str = "other") -> bytes:
    return UpkeepLock(holder, "compact", time.time() - age_seconds).encode()


def test_second_is_refused_until_the_first_has_ended(output: Output, dataset: DatasetStore) -> None:
    with upkeep_lease(dataset, "compact") as held:
        held.check()
        assert output.keys(UPKEEP) == [FIRST]
        assert is_locked(dataset)
        with (
            pytest.raises(ArgumentsError, match=r"compact is at work there already.* 10 minutes"),
            upkeep_lease(dataset, "verify --repair"),
        ):
            pass
        held.check()
    assert output.keys() == []
    with upkeep_lease(dataset, "verify --repair"):
        pass


def test_lock_is_given_back_after_an_error(output: Output, dataset: DatasetStore) -> None:
    with pytest.raises(KeyboardInterrupt), upkeep_lease(dataset, "compact"):
        raise KeyboardInterrupt
    assert output.keys() == []


def test_lock_that_was_not_renewed_is_taken_over_and_its_holder_notices(
    output: Output, dataset: DatasetStore
) -> None:
    output.put("dataset/a.tar", b"a")
    with upkeep_lease(dataset, "compact") as stalled:
        output.put(FIRST, lock(STALE_AFTER_SECONDS + 1, stalled.holder))
        assert not is_locked(dataset)
        with upkeep_lease(dataset, "compact") as taken:
            assert output.keys(UPKEEP) == [FIRST, upkeep_lock_key(2)]
            with pytest.raises(TryAgainError, match="stood still"):
                stalled.remove(["dataset/a.tar"])
            with pytest.raises(TryAgainError, match="stood still"):
                stalled.write("dataset/a.tar", b"b")
            stalled.give_back()
            taken.check()
            assert output.body("dataset/a.tar") == b"a"
    assert output.keys(UPKEEP) == []


def test_who_stood_still_does_not_trust_a_lock_that_nobody_took_over(
    output: Output, dataset: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    output.put("dataset/a.tar", b"a")
    with upkeep_lease(dataset, "compact") as held:
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + STALE_AFTER_SECONDS / 2 + 1)
        with pytest.raises(TryAgainError, match="stood still"):
            held.remove(["dataset/a.tar"])
    assert output.keys() == ["dataset/a.tar"]


def test_lock_is_renewed_while_it_is_held(
    output: Output, dataset: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.01)
    with upkeep_lease(dataset, "compact") as held:
        output.put(FIRST, lock(STALE_AFTER_SECONDS + 1, held.holder))
        until(lambda: is_locked(dataset), "the lock is renewed")
        held.check()
    assert output.keys() == []


def test_lease_that_may_be_lost_is_not_renewed(dataset: DatasetStore, output: Output) -> None:
    held = Lease(dataset, 1, "compact")
    assert held.create()
    held._renewed -= STALE_AFTER_SECONDS
    before = output.body(FIRST)
    ended = threading.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RENEW_SECONDS", 0.0)
        held.renew_until(ended)  # comes back by itself
    assert output.body(FIRST) == before


def test_lock_whose_answer_was_lost_is_held(
    dataset: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = DatasetStore.create

    def tried_twice(store: DatasetStore, key: str, body: bytes) -> bool:
        assert create(store, key, body)
        return create(store, key, body)

    monkeypatch.setattr(DatasetStore, "create", tried_twice)
    with upkeep_lease(dataset, "compact") as held:
        held.check()


@pytest.mark.parametrize(
    "before",
    [None, lock(STALE_AFTER_SECONDS + 1), b"", b"[]"],
    ids=["none", "stale", "empty", "not an object"],
)
def test_of_many_at_once_no_two_hold_it(
    before: bytes | None, output: Output, dataset: DatasetStore
) -> None:
    if before is not None:
        output.put(FIRST, before)
    start, ended = threading.Barrier(5), threading.Event()
    holders: list[Lease] = []
    refused: list[ArgumentsError] = []

    def take(_: int) -> None:
        start.wait()
        try:
            with upkeep_lease(dataset, "compact") as held:
                holders.append(held)
                ended.wait()
        except ArgumentsError as error:
            refused.append(error)

    with ThreadPoolExecutor(5) as pool:
        done = [pool.submit(take, number) for number in range(5)]
        try:
            until(lambda: len(holders) + len(refused) == 5, "all have tried")
        finally:
            ended.set()
        for item in done:
            item.result()
    assert len(holders) == 1
    assert output.keys(UPKEEP) == []


def test_index_is_not_settled_while_a_run_is_open(dataset: DatasetStore, output: Output) -> None:
    for number in range(5):
        output.put(open_run_key(f"run-{number}"), b"{}")
    with (
        upkeep_lease(dataset, "compact") as held,
        pytest.raises(ArgumentsError, match=r"run-0, run-1, run-2 and 2 more have no report yet"),
    ):
        held.settled_index()
    assert output.keys(UPKEEP) == []
