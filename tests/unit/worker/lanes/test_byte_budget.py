"""Threads hold bytes up to a limit, and nobody waits for ever."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from imagemill_worker.lanes.byte_budget import ByteBudget
from tests.helpers.waiting import PATIENCE_SECONDS


class Holder:
    """A thread that holds bytes until it is told to let go."""

    def __init__(self, budget: ByteBudget, wanted_bytes: int) -> None:
        self.has_entered, self._leave = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._hold, args=(budget, wanted_bytes))
        self._thread.start()

    def _hold(self, budget: ByteBudget, wanted_bytes: int) -> None:
        with budget.of(wanted_bytes):
            self.has_entered.set()
            self._leave.wait()

    def enters(self) -> bool:
        return self.has_entered.wait(PATIENCE_SECONDS)

    def waits(self) -> bool:
        return not self.has_entered.wait(0.1)

    def let_go(self) -> None:
        self._leave.set()
        self._thread.join()


def test_as_much_as_the_limit_is_let_in_and_no_byte_more() -> None:
    budget = ByteBudget(100)
    first, second = Holder(budget, 60), Holder(budget, 40)
    assert first.enters()
    assert second.enters()
    third = Holder(budget, 1)
    assert third.waits()
    second.let_go()
    assert third.enters()
    first.let_go()
    third.let_go()


def test_one_that_wants_more_than_the_limit_waits_until_it_is_alone() -> None:
    budget = ByteBudget(100)
    small = Holder(budget, 1)
    assert small.enters()
    huge = Holder(budget, 1000)
    assert huge.waits()
    small.let_go()
    assert huge.enters()
    other = Holder(budget, 1)
    assert other.waits()
    huge.let_go()
    assert other.enters()
    other.let_go()


def test_bytes_are_given_back_when_the_work_raises() -> None:
    budget = ByteBudget(100)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), budget.of(100):
            raise ZeroDivisionError
    with budget.of(100):
        pass


def test_many_threads_never_hold_more_than_the_limit() -> None:
    budget, lock, held, most = ByteBudget(100), threading.Lock(), [0], [0]

    def hold(wanted_bytes: int) -> None:
        with budget.of(wanted_bytes):
            with lock:
                held[0] += wanted_bytes
                most[0] = max(most[0], held[0])
            with lock:
                held[0] -= wanted_bytes

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(hold, [7, 30, 55, 100] * 200))
    assert held == [0]
    assert 0 < most[0] <= 100
