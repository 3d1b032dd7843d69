"""Ways through the pipeline on which runs and jobs are stopped; each raises Broken without a right.

What an attempt would have left in its journal is put there by hand: a job writes a page after ten
seconds, and no way takes that long.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

from imagemill.execution import Execution
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, decode_outcomes, encode_journal
from imagemill_contract.keys import Stage, shard_id_in
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_dataset.parts.written_part import INLINE_ROWS
from tests.helpers.rights_world import Untried, World, expect, prefix_of
from tests.helpers.runs import resource_id, start

JOB_STATES = ("RUNNABLE", "STARTING", "RUNNING")
TAKEN_OVER = " were done by a run that "
WORD = "this was written by hand"


def stopped(world: World) -> None:
    """A run is stopped, its jobs end with it, and the next run takes over what it has done."""
    prefix = prefix_of("stopped")
    world.upload(prefix, 8)
    run = begun(world, prefix, shards=8)
    outcomes = f"runs/{run.run_id}/outcomes/edge/"
    world.until(lambda: world.keys(outcomes) or world.failure_of(run), "a job has ended")
    run.stop("enough")
    time.sleep(0.5)
    expect(not jobs_of(world, run), "no job goes on")
    expect(TAKEN_OVER in world.run(prefix)["sentence"], "the next run takes over what is done")


def half_done(world: World) -> None:
    """A run is cancelled between the two jobs of a shard, and the next one finds only the edges."""
    take_over(world, 8)


def half_done_slices(world: World) -> None:
    """The same with runs of several slices."""
    take_over(world, 16)


def take_over(world: World, count: int) -> None:
    """Run over so many pictures, stop after a resize job, and run again.

    What that job has done is then in its journal alone, and the next run's outcomes say so.
    """
    prefix = prefix_of("half")
    world.upload(prefix, count)
    run = begun(world, prefix)
    resized = keys.outcomes_folder(run.run_id, Stage.RESIZE)
    world.until(lambda: world.keys(resized) or not run.is_running(), "a job has ended")
    end_by_hand(world, run)
    time.sleep(0.5)
    edges = {shard_id_in(key) for key in world.keys(keys.outcomes_folder(run.run_id, Stage.EDGE))}
    half = [key for key in world.keys(resized) if shard_id_in(key) not in edges]
    if not half:
        raise Untried("both jobs of a shard have ended")
    for shard in shards_of(world, run):
        key = keys.outcome_key(run.run_id, Stage.RESIZE, shard.shard_id)
        if key in half:
            rows = decode_outcomes(world.read(key))[1]
            note(world, shard, [row._replace(detail=WORD) for row in rows])
            world.delete(key)
    again = begun(world, prefix)
    expect(world.end(again)["verdict"] == "succeeded", "the next run does the rest")
    documents = world.keys(keys.outcomes_folder(again.run_id, Stage.RESIZE))
    rows = [row for key in documents for row in decode_outcomes(world.read(key))[1]]
    expect(any(row.detail == WORD for row in rows), "its jobs know what is done")


def large(world: World) -> None:
    """A run over another folder takes over so many pictures that their part has leaves."""
    prefix = prefix_of("large")
    world.upload(prefix, 1)
    run = begun(world, prefix)
    world.until(lambda: world.keys(keys.open_run_key(run.run_id)), "it is planned")
    end_by_hand(world, run)
    (shard,) = shards_of(world, run)
    more = [SourceObject(f"{prefix}{index:05d}.jpg", "0", 1) for index in range(INLINE_ROWS + 1)]
    shard = replace(shard, objects=more)
    world.put(keys.shard_key(run.run_id, shard.shard_id), shard.encode())
    note(world, shard, [rejected(item) for item in more])
    other = prefix_of("small")
    world.upload(other, 1)
    world.run(other)
    expect(world.keys(keys.LEAVES), "there are leaves")


def terminated(world: World) -> None:
    """Jobs are terminated, and the report says why, and what their journals say."""
    terminate_jobs(world, 4)


def terminated_slices(world: World) -> None:
    """The same with a run of several slices."""
    terminate_jobs(world, 10)


def terminate_jobs(world: World, count: int) -> None:
    """Run over so many pictures, the first of each shard being rejected, and end each job."""
    prefix = prefix_of("terminated")
    world.upload(prefix, count)
    run, batch = begun(world, prefix), world.stack.client("batch")
    world.until(lambda: world.keys(keys.open_run_key(run.run_id)), "it is planned")
    shards = shards_of(world, run)
    for shard in shards:
        note(world, shard, [rejected(shard.objects[0])])

    def is_over() -> bool:
        for job in jobs_of(world, run):
            batch.terminate_job(jobId=job, reason=WORD)
        return not run.is_running()

    world.until(is_over, "the run ends")
    expect(world.keys(keys.report_key(run.run_id)), "there is a report")
    report = json.loads(world.read(keys.report_key(run.run_id)))
    expect(report["reasons"].get("corrupt") == len(shards), "journals are read")
    expect(WORD in json.dumps(report["problems"]), "the cause is told")


def begun(world: World, prefix: str, **fields: object) -> Execution:
    """A run over an upload that is under way."""
    source = f"s3://{world.stack.input_bucket}/{prefix}"
    return start(world.stack, {"source": source, **fields})


def end_by_hand(world: World, run: Execution) -> None:
    """Stop a run, as `imagemill cancel` does, which also says that it is over."""
    world.stop(run)
    world.put(keys.stopped_key(run.run_id), b"{}")


def jobs_of(world: World, run: Execution) -> list[str]:
    """The jobs of a run that have not ended."""
    batch, queue = world.stack.client("batch"), resource_id(world.stack, "JobQueue")
    listed = (batch.list_jobs(jobQueue=queue, jobStatus=status) for status in JOB_STATES)
    jobs = (job for page in listed for job in page["jobSummaryList"])
    return [job["jobId"] for job in jobs if run.run_id in job["jobName"]]


def shards_of(world: World, run: Execution) -> list[Shard]:
    """The shards of a run that is planned."""
    folder = f"{keys.run_folder(run.run_id)}shards/"
    return [Shard.decode(world.read(key)) for key in sorted(world.keys(folder))]


def note(world: World, shard: Shard, rows: list[Outcome]) -> None:
    """Leave a page in the journal of a shard's resize job."""
    header = {"run_id": shard.run_id, "stage": str(Stage.RESIZE), "shard_id": shard.shard_id}
    key = keys.journal_key(shard.run_id, Stage.RESIZE, shard.shard_id, "000000-noted")
    world.put(key, encode_journal(header, rows))


def rejected(item: SourceObject) -> Outcome:
    """What a job says of a picture that nobody can read."""
    return Outcome(item.key, Status.REJECTED, Reason.CORRUPT, "It cannot be read.")


SETBACKS: tuple[Callable[[World], None], ...] = (
    *(stopped, half_done, half_done_slices, large, terminated, terminated_slices),
)
