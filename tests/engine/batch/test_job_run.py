"""The attempts of a job: environment, output, retries, timeouts and ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from imagemill_engine.batch.executor import Executor
from imagemill_engine.batch.job import JobStatus
from imagemill_engine.batch.log_stream import FLUSH_SECONDS, MAX_BATCH_EVENTS
from imagemill_engine.batch.retry import RetryStrategy
from imagemill_engine.batch.spec import LogTarget

# The child of a job lives longer than anybody waits for the job.
LONGER_THAN_PATIENCE = 600


def is_running(process: int) -> bool:
    """A zombie is not: it only waits for whoever adopted it."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


# ------------------------------------------------------------------ ends and environment


def test_a_job_that_exits_with_zero_succeeds(executor: Executor, spec: Any, ended: Any):
    found = ended(executor.submit(spec("exit 0")))
    assert found["status"] == "SUCCEEDED"
    assert found["container"]["exitCode"] == 0
    assert len(found["attempts"]) == 1
    assert found["createdAt"] <= found["startedAt"] <= found["stoppedAt"]


def test_a_job_that_fails_says_its_exit_code(executor: Executor, spec: Any, ended: Any):
    found = ended(executor.submit(spec("exit 3")))
    assert (found["status"], found["container"]["exitCode"]) == ("FAILED", 3)
    assert found["statusReason"] == "Essential container in task exited"


def test_a_job_gets_its_own_environment_and_nothing_else_of_ours(
    executor: Executor, logs: Any, monkeypatch: pytest.MonkeyPatch, spec: Any, ended: Any
):
    monkeypatch.setenv("SECRET_OF_THE_ENGINE", "x")
    environment = {"SHARED": "definition", "AWS_BATCH_JOB_ATTEMPT": "99"}
    job = executor.submit(spec("env", environment=environment, job_role_arn="role"))
    ended(job)
    variables = dict(line.split("=", 1) for line in logs.text)
    assert variables["BASE"] == "1"
    assert variables["SHARED"] == "definition"
    assert variables["ROLE"] == "role"
    assert variables["AWS_BATCH_JOB_ID"] == job.id
    assert variables["AWS_BATCH_JOB_ATTEMPT"] == "1"
    assert variables["AWS_BATCH_JQ_NAME"] == "queue"
    assert variables["AWS_BATCH_CE_NAME"] == "environment"
    assert "SECRET_OF_THE_ENGINE" not in variables


def test_a_missing_program_cannot_start(executor: Executor, spec: Any, ended: Any):
    found = ended(executor.submit(spec(command=("no-such-program",))))
    assert found["status"] == "FAILED"
    assert found["container"]["reason"].startswith("CannotStartContainerError: ")
    assert "exitCode" not in found["container"]
    assert "startedAt" not in found


@pytest.mark.parametrize(
    "changes",
    [
        {"log": LogTarget("missing", "prefix")},
        {"job_role_arn": "nobody"},
        {"command": ()},
    ],
    ids=["log group", "role", "command"],
)
def test_what_is_missing_is_the_reason(
    executor: Executor, changes: dict[str, Any], spec: Any, ended: Any
):
    found = ended(executor.submit(spec(**changes)))
    assert found["status"] == "FAILED"
    assert found["container"]["reason"].startswith("CannotStartContainerError: ")


def test_a_fault_of_the_executor_fails_the_job_and_is_not_swallowed(
    executor: Executor,
    logs: Any,
    groups: Any,
    monkeypatch: pytest.MonkeyPatch,
    spec: Any,
    ended: Any,
    until: Any,
):
    raised: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    logs.fault = RuntimeError("a mistake of ours")
    script = f"seq 2000; exec sleep {LONGER_THAN_PATIENCE}"
    jobs = [executor.submit(spec(script)) for _ in range(5)]  # its place is given back, too
    for job in jobs:
        found = ended(job)
        assert found["status"] == "FAILED"
        assert found["statusReason"] == "The executor failed: RuntimeError('a mistake of ours')"
    until(lambda: len(raised) == len(jobs))
    assert {args.exc_value for args in raised} == {logs.fault}
    assert not any(is_running(group) for group in groups.seen)


# ------------------------------------------------------------------ output


def test_both_streams_arrive_in_order_and_the_last_line_needs_no_newline(
    executor: Executor, logs: Any, spec: Any, ended: Any
):
    ended(executor.submit(spec("echo one; echo two >&2; printf '\\nthree\\r\\nf\\303our'")))
    assert logs.text == ["one", "two", "three", "f\ufffdour"]


def test_lines_arrive_while_the_job_runs(
    executor: Executor, logs: Any, gate: Any, spec: Any, ended: Any, until: Any
):
    job = executor.submit(spec(f"echo first; {gate.wait}; echo last"))
    until(lambda: logs.text)
    assert logs.text == ["first"]
    assert not job.done.is_set()
    gate.open()
    ended(job)
    assert logs.text == ["first", "last"]


def test_many_lines_are_sent_in_few_batches(executor: Executor, logs: Any, spec: Any, ended: Any):
    started = time.monotonic()
    ended(executor.submit(spec("seq 5000")))
    assert logs.text == [str(number) for number in range(1, 5001)]
    flushes = (time.monotonic() - started) / FLUSH_SECONDS
    assert logs.puts <= 5000 / MAX_BATCH_EVENTS + flushes + 1


def test_the_output_after_the_exit_is_not_lost(
    executor: Executor, logs: Any, spec: Any, ended: Any
):
    program = "import sys; sys.stdout.write('x' * 300_000 + '\\nend\\n')"
    ended(executor.submit(spec(command=(sys.executable, "-c", program))))
    assert "".join(logs.text[:-1]) == "x" * 300_000
    assert logs.text[-1] == "end"


# ------------------------------------------------------------------ attempts


def test_attempts_are_numbered_until_one_succeeds(executor: Executor, spec: Any, ended: Any):
    script = 'test "$AWS_BATCH_JOB_ATTEMPT" = 3'
    found = ended(executor.submit(spec(script, retry=RetryStrategy(attempts=5))))
    assert found["status"] == "SUCCEEDED"
    assert [one["container"]["exitCode"] for one in found["attempts"]] == [1, 1, 0]
    assert len({one["container"]["logStreamName"] for one in found["attempts"]}) == 3


def test_a_worker_killed_from_outside_is_retried_and_no_memory_is_blamed(
    executor: Executor, groups: Any, spec: Any, ended: Any, until: Any
):
    script = f'test "$AWS_BATCH_JOB_ATTEMPT" = 2 || exec sleep {LONGER_THAN_PATIENCE}'
    job = executor.submit(spec(script, retry=RetryStrategy(attempts=2)))
    until(lambda: job.status is JobStatus.RUNNING)
    os.killpg(next(iter(groups.alive)), signal.SIGKILL)
    found = ended(job)
    assert found["status"] == "SUCCEEDED"
    first = found["attempts"][0]["container"]
    assert first["exitCode"] == 137
    assert "reason" not in first


def test_every_process_group_is_reported_and_taken_back(
    executor: Executor, groups: Any, spec: Any, ended: Any
):
    retry = RetryStrategy(attempts=2)
    ended(executor.submit(spec("exit 1", retry=retry)))
    assert len(groups.seen) == 2
    assert groups.alive == set()


# ------------------------------------------------------------------ timeouts and stops


def test_a_timeout_ends_the_job_without_a_retry(executor: Executor, spec: Any, ended: Any):
    script = f"exec sleep {LONGER_THAN_PATIENCE}"
    retry = RetryStrategy(attempts=3)
    found = ended(executor.submit(spec(script, timeout_seconds=0.3, retry=retry)))
    assert found["status"] == "FAILED"
    assert found["statusReason"] == "Job attempt duration exceeded timeout"
    assert found["container"]["exitCode"] == 143
    assert len(found["attempts"]) == 1


def test_a_job_that_ignores_sigterm_is_killed_after_the_grace_time(
    start_executor: Any, spec: Any, ended: Any
):
    script = "trap '' TERM; while :; do sleep 0.05; done"
    found = ended(start_executor(0.4).submit(spec(script, timeout_seconds=0.3)))
    assert found["container"]["exitCode"] == 137
    assert (found["stoppedAt"] - found["startedAt"]) / 1000 >= 0.3 + 0.4


def test_a_job_may_use_the_grace_time_to_clean_up(
    executor: Executor, logs: Any, spec: Any, ended: Any, until: Any
):
    script = "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.02; done"
    job = executor.submit(spec(script))
    until(lambda: logs.text)
    executor.terminate(job.id, "no longer needed")
    found = ended(job)
    assert logs.text == ["ready", "cleaned"]
    assert (found["status"], found["statusReason"]) == ("FAILED", "no longer needed")


def test_a_waiting_job_is_terminated_without_ever_running(
    executor: Executor, spec: Any, gate: Any, ended: Any
):
    running = [executor.submit(spec(gate.wait)) for _ in range(2)]
    waiting = executor.submit(spec("exit 0"))
    assert waiting.status is JobStatus.RUNNABLE
    executor.terminate(waiting.id, "not wanted")
    found = ended(waiting)
    assert (found["statusReason"], found["attempts"]) == ("not wanted", [])
    assert "startedAt" not in found
    gate.open()
    assert [ended(job)["status"] for job in running] == ["SUCCEEDED"] * 2


def test_a_final_job_stays_as_it_is(executor: Executor, spec: Any, ended: Any):
    job = executor.submit(spec("exit 0"))
    before = ended(job)
    executor.terminate(job.id, "too late")
    assert job.describe() == before


def test_children_of_a_job_end_with_it(
    executor: Executor, logs: Any, spec: Any, ended: Any, until: Any
):
    ended(executor.submit(spec(f"sleep {LONGER_THAN_PATIENCE} & echo $!")))
    until(lambda: not is_running(int(logs.text[0])))


def test_the_folder_of_a_job_is_removed_with_it(
    executor: Executor, logs: Any, tmp_path: Path, spec: Any, ended: Any, until: Any
):
    ended(executor.submit(spec('pwd; echo "$TMPDIR"; touch left-behind')))
    folder = Path(logs.text[0])
    assert folder.parent == tmp_path
    assert logs.text[1] == str(folder)
    until(lambda: list(tmp_path.iterdir()) == [])
