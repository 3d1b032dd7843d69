"""What becomes of jobs and states whose execution is stopped."""

from __future__ import annotations

import json
import time
from typing import Any

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine
from tests.helpers.rights import role_policy


def test_stopping_an_execution_terminates_its_job(
    machines: Any, job_machine: Any, job_name: str, jobs: Any, until: Any
):
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}]
    arn = machines.start(job_machine("exec sleep 600", Retry=retry))
    [job_id] = until(lambda: jobs.named(job_name))
    jobs.reach(job_id, "RUNNING")
    machines.states.stop_execution(executionArn=arn, cause="the user left")
    end = jobs.end(job_id)
    assert (end["status"], end["statusReason"]) == ("FAILED", "the user left")
    assert machines.end(arn)["status"] == "ABORTED"
    time.sleep(1.2)  # longer than the retry would wait
    assert jobs.named(job_name) == [job_id]
    assert machines.events(arn)[-1]["type"] == "ExecutionAborted"


def test_stopping_an_execution_takes_its_job_out_of_the_queue(
    machines: Any, job_machine: Any, job_name: str, jobs: Any, until: Any
):
    busy = [jobs.submit("exec sleep 600") for _ in range(2)]
    arn = machines.start(job_machine("true"))
    [job_id] = until(lambda: jobs.named(job_name))
    assert jobs.describe(job_id)["status"] == "RUNNABLE"
    machines.states.stop_execution(executionArn=arn)
    assert jobs.end(job_id)["attempts"] == []
    for one in busy:
        jobs.batch.terminate_job(jobId=one, reason="end of test")
        jobs.end(one)


def test_nothing_follows_a_call_during_which_the_execution_was_stopped(
    machines: Any, echo_machine: Any, until: Any
):
    definition = echo_machine({"seconds": 1}, Next="Caught")
    del definition["States"]["Call"]["End"]
    arn = machines.start(definition)
    until(lambda: "TaskScheduled" in [event["type"] for event in machines.events(arn)])
    machines.states.stop_execution(executionArn=arn)
    time.sleep(1.5)  # longer than the call takes
    kinds = [event["type"] for event in machines.events(arn)]
    assert kinds == ["ExecutionStarted", "TaskStateEntered", "TaskScheduled", "ExecutionAborted"]


def test_stopping_the_parent_stops_the_children_and_their_jobs(
    map_machines: Any, stack: Stack, put: Any, jobs: Any, engine: Engine, until: Any, job_name: str
):
    items = [{"name": job_name, "script": "exec sleep 600"}] * 6
    arn = map_machines.start_machine(
        stack.outputs["StateMachineArn"], {"key": put("stop.json", json.dumps(items).encode())}
    )
    submitted = until(lambda: found if len(found := jobs.named(job_name)) == 3 else None)
    map_machines.states.stop_execution(executionArn=arn, cause="the user left")
    assert {jobs.end(job_id)["statusReason"] for job_id in submitted} == {"the user left"}
    assert map_machines.end(arn)["status"] == "ABORTED"
    states = engine.client("stepfunctions")
    run = states.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]
    until(lambda: states.describe_map_run(mapRunArn=run)["status"] == "ABORTED")
    counts = states.describe_map_run(mapRunArn=run)["executionCounts"]
    assert (counts["running"], counts["aborted"]) == (0, 6)
    children = states.list_executions(mapRunArn=run)["executions"]
    assert [child["status"] for child in children] == ["ABORTED"] * 6
    assert jobs.named(job_name) == submitted  # MaxConcurrency 3: the others were never submitted


def test_without_the_right_to_terminate_it_a_job_goes_on(
    machines: Any, job_machine: Any, job_name: str, jobs: Any, until: Any, engine: Engine
):
    iam, role = engine.client("iam"), machines.role_arn.rsplit("/", 1)[-1]
    known = iam.get_role_policy(RoleName=role, PolicyName="machine")["PolicyDocument"]
    text = json.dumps(known).replace("batch:TerminateJob", "batch:TagResource")
    arn = machines.start(job_machine("exec sleep 3"))
    [job_id] = until(lambda: jobs.named(job_name))
    with role_policy(iam, role, "machine", json.loads(text)):
        machines.states.stop_execution(executionArn=arn)
        assert jobs.end(job_id)["status"] == "SUCCEEDED"
