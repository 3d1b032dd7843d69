"""Throttling slows requests down for all threads, and nothing else does."""

from __future__ import annotations

import threading
import time
from collections import deque

import pytest

from imagemill_worker.errors import TryAgainError
from imagemill_worker.stores.weather import Weather
from tests.helpers.waiting import PATIENCE_SECONDS


def are_out_at_once(count: int, weather: Weather, threads: int) -> bool:
    """Whether of so many requests this many are let out at the same time, and no more."""
    entered, leave = threading.Semaphore(0), threading.Event()

    def ask() -> None:
        with weather.request():
            entered.release()
            leave.wait()

    workers = [threading.Thread(target=ask) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        all_came = all(entered.acquire(timeout=PATIENCE_SECONDS) for _ in range(count))
        return all_came and (count == threads or not entered.acquire(timeout=0.2))
    finally:
        leave.set()
        for worker in workers:
            worker.join()


def test_in_fair_weather_all_requests_are_out_at_once() -> None:
    weather = Weather(8)
    assert are_out_at_once(8, weather, 8)
    assert weather.waited_seconds == 0
    assert weather.throttled == 0


def test_a_fault_halves_what_may_be_out_and_a_burst_of_them_does_so_once() -> None:
    weather = Weather(8)
    for _ in range(20):
        weather.went_wrong()
    assert are_out_at_once(4, weather, 8)
    assert weather.throttled == 20
    assert weather.waited_seconds > 0


def test_successes_bring_it_back_step_by_step() -> None:
    weather = Weather(8)
    weather.went_wrong()
    for _ in range(4):  # a round of as many as may be out: one more
        weather.went_well()
    assert are_out_at_once(4, weather, 8)
    weather.went_well()
    assert are_out_at_once(5, weather, 8)
    for _ in range(100):
        weather.went_well()
    assert are_out_at_once(8, weather, 8)


def test_at_least_one_request_is_let_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagemill_worker.stores.weather._SECONDS_BETWEEN_CUTS", 0.0)
    weather = Weather(4)
    for _ in range(50):
        weather.went_wrong()
    assert are_out_at_once(1, weather, 3)


def test_a_pause_ends_when_the_process_is_told_to_stop() -> None:
    stopping = threading.Event()
    weather = Weather(stopping=stopping)
    stopping.set()
    with pytest.raises(TryAgainError, match="told to stop"):
        weather.pause(16)


def test_each_request_is_a_sign_of_life() -> None:
    signs: list[str] = []
    weather = Weather(on_event=lambda: signs.append("alive"))
    with weather.request():
        assert signs == []
    assert signs == ["alive"]


def test_threads_that_wait_in_bad_weather_all_go_on_when_it_clears() -> None:
    weather = Weather(most_at_once=8)
    done = deque[None]()

    def ask(times: int) -> None:
        for place in range(times):
            with weather.request():
                time.sleep(0.0002)
            if place % 10 == 0:
                weather.went_wrong()
            weather.went_well()
        done.append(None)

    for _ in range(8):
        weather.went_wrong()
    threads = [threading.Thread(target=ask, args=(60,), daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert len(done) == 8
