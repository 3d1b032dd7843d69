"""How many jobs run at a time, and in which order."""

import threading
import time
from typing import Any

from imagemill_engine.batch.executor import Executor
from imagemill_engine.batch.job import Job, JobStatus
from imagemill_engine.batch.spec import JobSpec


def ended(job: Job, seconds: float = 10) -> dict[str, Any]:
    assert job.done.wait(seconds)
    return job.describe()


def most_at_a_time(executor: Executor, specs: list[JobSpec]) -> int:
    jobs = [executor.submit(one) for one in specs]
    most = 0
    while not all(job.done.is_set() for job in jobs):
        most = max(most, sum(job.status is JobStatus.RUNNING for job in jobs))
        time.sleep(0.002)
    return most


def test_no_more_jobs_run_than_the_machine_has_vcpus(executor: Executor, spec: Any):
    assert most_at_a_time(executor, [spec("sleep 0.15") for _ in range(5)]) == 2


def test_no_more_jobs_run_than_the_compute_environment_allows(executor: Executor, spec: Any):
    assert most_at_a_time(executor, [spec("sleep 0.1", room=1) for _ in range(3)]) == 1


def test_half_a_vcpu_is_half_a_place(executor: Executor, spec: Any):
    assert most_at_a_time(executor, [spec("sleep 0.3", vcpus=0.5) for _ in range(6)]) == 4


def test_a_job_larger_than_this_machine_runs_alone(executor: Executor, spec: Any):
    assert most_at_a_time(executor, [spec("sleep 0.1", vcpus=8), spec("sleep 0.1", vcpus=8)]) == 1


def test_a_job_larger_than_its_environment_waits_for_ever(executor: Executor, spec: Any):
    job = executor.submit(spec(vcpus=4, room=2))
    assert not job.done.wait(0.2)
    assert job.status is JobStatus.RUNNABLE
    executor.terminate(job.id, "end of test")


def test_jobs_start_in_the_order_of_their_submission(executor: Executor, logs: Any, spec: Any):
    jobs = [executor.submit(spec(f"echo {number}", room=1)) for number in range(6)]
    for job in jobs:
        ended(job)
    assert logs.text == [str(number) for number in range(6)]


def test_a_hundred_short_jobs_all_end(executor: Executor, spec: Any):
    started = time.monotonic()
    jobs = [executor.submit(spec(command=("true",))) for _ in range(100)]
    assert all(ended(job)["status"] == "SUCCEEDED" for job in jobs)
    assert time.monotonic() - started < 10


def test_submitting_from_many_threads_loses_no_job(executor: Executor, spec: Any):
    def submit(_number: int) -> None:
        executor.submit(spec(command=("true",)))

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(executor.jobs()) == 20
    assert all(ended(job)["status"] == "SUCCEEDED" for job in executor.jobs())
