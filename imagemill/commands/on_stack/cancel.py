"""`imagemill cancel`: stops a run and ends its jobs, so that nothing keeps costing."""

from __future__ import annotations

import json

from rich.console import Console

from imagemill.deployed.clients import plainly
from imagemill.deployed.jobs import terminated_jobs
from imagemill.deployed.progress import Look, Watch
from imagemill.deployed.runs import execution_of
from imagemill.deployed.stack import DeployedStack, usable_stack
from imagemill.display.lines import print_json, print_line
from imagemill.display.looks import look_document
from imagemill.display.summary import done_so_far
from imagemill.options.stack import StackChoice
from imagemill_contract.keys import stages_in, stopped_key

CAUSE = "The run was cancelled by `imagemill cancel`."


def cancel(run_id: str, choice: StackChoice, *, as_json: bool) -> None:
    """Stop a run, and end what its jobs are doing, also if the run has ended itself.

    Raises UsageError if there is no such run, RunFailedError if a job does not end.
    """
    stack = usable_stack(choice)
    watched = Watch(stack, run_id)
    was_running = watched.run.is_running
    if was_running:
        with plainly():
            execution_of(stack, watched.run).stop(CAUSE)
    console = Console(stderr=True)
    with console.status(f"ending the jobs of {run_id}") as shown:
        ended = terminated_jobs(
            stack,
            run_id,
            CAUSE,
            is_quiet=watched.is_quiet,
            tick=lambda left: shown.update(f"{run_id}: waiting for its jobs to end ({left:,})"),
        )
    if was_running:
        _say_that_it_is_over(stack, run_id)
    look = watched.look()
    if as_json:
        print_json({**look_document(look), "was_running": was_running, "jobs_ended": ended})
    else:
        _print(Console(), look, ended, was_running=was_running)


def _say_that_it_is_over(stack: DeployedStack, run_id: str) -> None:
    """Let the next run take over all that is done, as it would of a run long silent."""
    body = json.dumps({"v": 1, "cause": CAUSE}).encode()
    with plainly():
        stack.client("s3").put_object(
            Bucket=stack.output_bucket, Key=stopped_key(run_id), Body=body
        )


def _print(console: Console, look: Look, ended: int, *, was_running: bool) -> None:
    run_id = look.run.run_id
    jobs = "1 job was ended" if ended == 1 else f"{ended:,} jobs were ended"
    if not was_running:
        print_line(console, f"{run_id} has already {look.run.state}; {jobs}.")
        return
    print_line(console, f"{run_id} is stopped; {jobs}.")
    done = {stage: state.written for stage, state in look.stages.items()}
    if look.planned and done:
        planned = f"{look.planned['objects']:,}"
        print_line(
            console,
            f"{done_so_far(done, planned, stages_in(look.planned['recipe']))}.",
        )
    if look.planned:
        print_line(console, "The next run over the same source takes over what is done.")
