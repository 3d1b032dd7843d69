"""How many jobs run at a time, and in which order."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from imagemill_engine.batch.executor import Executor
from imagemill_engine.batch.job import JobStatus


@pytest.fixture
def most_at_a_time(executor: Executor, spec: Any, gate: Any, until: Any) -> Any:
    """How many of some equal jobs run at a time; asserts that all of them succeed in the end."""

    def most(job_count: int, expected: int, **changes: Any) -> int:
        jobs = [executor.submit(spec(gate.wait, **changes)) for _ in range(job_count)]

        def running() -> int:
            return sum(job.status is JobStatus.RUNNING for job in jobs)

        until(lambda: running() >= expected)
        assert [job.status for job in jobs[expected:]] == ["RUNNABLE"] * (job_count - expected)
        found = running()
        gate.open()
        while not all(job.done.wait(0.002) for job in jobs):
            found = max(found, running())
        assert {job.status for job in jobs} == {JobStatus.SUCCEEDED}
        return found

    return most


def test_no_more_jobs_run_than_the_machine_has_vcpus(most_at_a_time: Any):
    assert most_at_a_time(5, expected=2) == 2


def test_no_more_jobs_run_than_the_compute_environment_allows(most_at_a_time: Any):
    assert most_at_a_time(3, expected=1, room=1) == 1


def test_half_a_vcpu_is_half_a_place(most_at_a_time: Any):
    assert most_at_a_time(6, expected=4, vcpus=0.5) == 4


def test_a_job_larger_than_this_machine_runs_alone(most_at_a_time: Any):
    assert most_at_a_time(2, expected=1, vcpus=8) == 1


def test_a_job_larger_than_its_environment_waits_for_ever(
    executor: Executor, spec: Any, stopped: Any
):
    job = executor.submit(spec(vcpus=4, room=2))
    assert not job.done.wait(0.2)
    assert job.status is JobStatus.RUNNABLE
    stopped(job)


def test_jobs_start_in_the_order_of_their_submission(
    executor: Executor, logs: Any, spec: Any, ended: Any
):
    jobs = [executor.submit(spec(f"echo {number}", room=1)) for number in range(6)]
    for job in jobs:
        ended(job)
    assert logs.text == [str(number) for number in range(6)]


def test_a_hundred_short_jobs_all_end(executor: Executor, spec: Any, ended: Any):
    jobs = [executor.submit(spec(command=("true",))) for _ in range(100)]
    assert all(ended(job)["status"] == "SUCCEEDED" for job in jobs)


def test_submitting_from_many_threads_loses_no_job(executor: Executor, spec: Any, ended: Any):
    def submit(_number: int) -> None:
        executor.submit(spec(command=("true",)))

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(executor.jobs()) == 20
    assert all(ended(job)["status"] == "SUCCEEDED" for job in executor.jobs())
