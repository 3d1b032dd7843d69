"""batch:submitJob.sync: a task that runs a job and waits for it."""

from __future__ import annotations

import json
from typing import Any

from imagemill_engine.deploy import Stack


def test_the_result_is_the_job_in_pascal_case(machines: Any, job_machine: Any, job_name: str):
    end = machines.run(job_machine("exit 0"))
    assert end["status"] == "SUCCEEDED"
    job = end["result"]
    assert (job["JobName"], job["Status"]) == (job_name, "SUCCEEDED")
    assert job["Container"]["ExitCode"] == 0
    assert job["Parameters"] == {"script": "exit 0"}
    assert {"JobId", "JobArn", "JobQueue", "Attempts", "StartedAt"} <= job.keys()


def test_a_failed_job_is_a_failed_task_with_the_job_as_its_cause(machines: Any, job_machine: Any):
    end = machines.run(job_machine("exit 3"))
    assert (end["status"], end["error"]) == ("FAILED", "States.TaskFailed")
    job = json.loads(end["cause"])
    assert job["Status"] == "FAILED"
    assert job["StatusReason"] == "Essential container in task exited"
    assert job["Attempts"][0]["Container"]["ExitCode"] == 3


def test_a_refused_submission_has_a_name(machines: Any, job_machine: Any, stack: Stack):
    unknown = stack.outputs["JobDefinitionArn"] + "99"
    end = machines.run(job_machine("true", Arguments={"JobDefinition": unknown}))
    assert end["error"] == "Batch.ClientException"
    assert "is not found" in end["cause"]


def test_a_job_that_nobody_waits_for_is_refused(machines: Any, job_machine: Any):
    end = machines.run(job_machine("true", resource="submitJob"))
    assert (end["status"], end["error"]) == ("FAILED", "States.Runtime")
    assert "waits for each job" in end["cause"]


def test_a_task_that_times_out_terminates_its_job(
    machines: Any, job_machine: Any, job_name: str, jobs: Any
):
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "Caught"}]
    end = machines.run(job_machine("exec sleep 600", TimeoutSeconds=1, Catch=catch))
    assert end["result"] == "caught"
    [job_id] = jobs.named(job_name)
    job = jobs.end(job_id)
    assert job["status"] == "FAILED"
    assert "timed out after 1 seconds" in job["statusReason"]
