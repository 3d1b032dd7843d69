"""batch:submitJob and .sync, and what becomes of jobs whose execution is stopped."""

import json
import time
from typing import Any

import pytest

from imagemill_engine.deploy import Stack


@pytest.fixture
def task(stack: Stack) -> Any:
    def define(script: str, *, sync: bool = True, **members: Any) -> dict[str, Any]:
        arguments = {
            "JobName": "probe",
            "JobQueue": stack.outputs["JobQueueArn"],
            "JobDefinition": stack.outputs["JobDefinitionArn"],
            "Parameters": {"script": script},
            **members.pop("Arguments", {}),
        }
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::batch:submitJob" + (".sync" if sync else ""),
            "Arguments": arguments,
            "End": True,
            **members,
        }

    return define


def machine(state: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": "Run", "States": {"Run": state, **others}}


def running_job(machines: Any, until: Any, arn: str) -> str:
    """The id of the job that an execution has submitted."""

    def submitted() -> str | None:
        for event in machines.events(arn):
            if event["type"] == "TaskSubmitted":
                job_id: str = json.loads(event["taskSubmittedEventDetails"]["output"])["JobId"]
                return job_id
        return None

    found: str = until(submitted)
    return found


def test_sync_gives_the_job_in_pascal_case(machines: Any, task: Any):
    script = 'test "$MANAGED_BY_AWS" = STARTED_BY_STEP_FUNCTIONS'
    end = machines.run(machine(task(script)))
    assert end["status"] == "SUCCEEDED"
    job = end["result"]
    assert job["Status"] == "SUCCEEDED"
    assert job["Container"]["ExitCode"] == 0
    assert job["Parameters"] == {"script": script}
    assert {"JobId", "JobArn", "JobName", "JobQueue", "Attempts", "StartedAt"} <= job.keys()


def test_sync_waits_no_longer_than_the_job_runs(machines: Any, task: Any):
    started = time.monotonic()
    machines.run(machine(task("sleep 0.2")))
    assert time.monotonic() - started < 1.5


def test_overrides_reach_the_job(machines: Any, task: Any):
    overrides = {"Environment": [{"Name": "GREETING", "Value": "from the state"}]}
    state = task('test "$GREETING" = "from the state"', Arguments={"ContainerOverrides": overrides})
    assert machines.run(machine(state))["status"] == "SUCCEEDED"


def test_a_failed_job_is_a_failed_task_with_the_job_as_its_cause(machines: Any, task: Any):
    end = machines.run(machine(task("exit 3")))
    assert (end["status"], end["error"]) == ("FAILED", "States.TaskFailed")
    job = json.loads(end["cause"])
    assert job["Status"] == "FAILED"
    assert job["StatusReason"] == "Essential container in task exited"
    assert job["Attempts"][0]["Container"]["ExitCode"] == 3


def test_without_sync_the_task_ends_at_the_submission(machines: Any, task: Any, jobs: Any):
    end = machines.run(machine(task("exec sleep 30", sync=False)))
    assert set(end["result"]) == {"JobId", "JobArn", "JobName"}
    jobs.batch.terminate_job(jobId=end["result"]["JobId"], reason="end of test")
    jobs.end(end["result"]["JobId"])


def test_a_refused_submission_has_a_name(machines: Any, task: Any, stack: Stack):
    unknown = stack.outputs["JobDefinitionArn"] + "99"
    end = machines.run(machine(task("true", Arguments={"JobDefinition": unknown})))
    assert end["error"] == "Batch.ClientException"
    assert "not ACTIVE" in end["cause"]


def test_the_history_tells_of_the_submission(machines: Any, task: Any):
    end = machines.run(machine(task("true")))
    events = machines.events(end["executionArn"])
    scheduled = events[2]["taskScheduledEventDetails"]
    assert (scheduled["resourceType"], scheduled["resource"]) == ("batch", "submitJob.sync")
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


def test_stopping_the_execution_terminates_its_job(machines: Any, task: Any, jobs: Any, until: Any):
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}]
    arn = machines.start(machine(task("exec sleep 30", Retry=retry)))
    job_id = running_job(machines, until, arn)
    jobs.reach(job_id, "RUNNING")
    machines.states.stop_execution(executionArn=arn, cause="the user left")
    end = jobs.end(job_id)
    assert (end["status"], end["statusReason"]) == ("FAILED", "the user left")
    assert machines.end(arn)["status"] == "ABORTED"
    time.sleep(1.2)  # longer than the retry would wait
    kinds = [event["type"] for event in machines.events(arn)]
    assert kinds.count("TaskSubmitted") == 1
    assert kinds[-1] == "ExecutionAborted"


def test_stopping_the_execution_takes_its_job_out_of_the_queue(
    machines: Any, task: Any, jobs: Any, until: Any
):
    busy = [jobs.submit("exec sleep 30") for _ in range(2)]
    arn = machines.start(machine(task("true")))
    job_id = running_job(machines, until, arn)
    assert jobs.describe(job_id)["status"] == "RUNNABLE"
    machines.states.stop_execution(executionArn=arn)
    assert jobs.end(job_id)["attempts"] == []
    for one in busy:
        jobs.batch.terminate_job(jobId=one, reason="end of test")
        jobs.end(one)


@pytest.mark.parametrize("seconds", [1, "{% $states.input.seconds %}"])
def test_a_task_that_times_out_terminates_its_job(
    machines: Any, task: Any, jobs: Any, until: Any, seconds: Any
):
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "Late"}]
    state = task("exec sleep 30", TimeoutSeconds=seconds, Catch=catch)
    late = {"Type": "Pass", "Output": "late", "End": True}
    arn = machines.start(machine(state, Late=late), {"seconds": 1})
    job_id = running_job(machines, until, arn)
    assert machines.end(arn)["result"] == "late"
    end = jobs.end(job_id)
    assert (end["status"], end["container"]["exitCode"]) == ("FAILED", 143)


def test_a_state_machine_that_times_out_terminates_its_job(
    machines: Any, task: Any, jobs: Any, until: Any
):
    arn = machines.start({**machine(task("exec sleep 30")), "TimeoutSeconds": 1})
    job_id = running_job(machines, until, arn)
    assert machines.end(arn)["status"] == "TIMED_OUT"
    assert jobs.end(job_id)["status"] == "FAILED"
    assert machines.events(arn)[-1]["type"] == "ExecutionTimedOut"
