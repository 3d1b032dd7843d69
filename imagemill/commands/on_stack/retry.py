"""`imagemill retry`: a new run of only what was not written in an earlier one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imagemill.deployed.clients import plainly
from imagemill.deployed.documents import columns_of, failures_of, planned_run
from imagemill.deployed.failures import checked_reasons, manifest_of, with_reason
from imagemill.deployed.files import BucketFiles
from imagemill.deployed.runs import run_named
from imagemill.deployed.stack import DeployedStack, usable_stack
from imagemill.display.started import show_start
from imagemill.errors import UsageError
from imagemill.execution import new_run_id, start_run
from imagemill.options.stack import StackChoice
from imagemill_contract.keys import manifest_key
from imagemill_contract.outcomes import Reason


def retry(
    run_id: str,
    choice: StackChoice,
    reasons: Sequence[str],
    *,
    more: Mapping[str, object],
    as_json: bool,
) -> None:
    """Start a run of the failures of another, with its recipe and `more` fields in the request.

    Raises UsageError if the run is going on, or nothing of it was rejected or failed.
    """
    wanted = checked_reasons(reasons)
    stack = usable_stack(choice)
    run = run_named(stack, run_id)
    if run.is_running:
        raise UsageError(f"RUN: {run_id} is going on. Wait for its end, or cancel it.")
    files = BucketFiles(stack.client("s3"), stack.output_bucket)
    planned = planned_run(files, run_id)
    if planned is None:
        raise UsageError(f"RUN: {run_id} was never planned; start it anew by `imagemill start`.")
    # of copies alone the planner would not see what they are copies of
    failed = [row for row in failures_of(files, run_id) if row.get("reason") != Reason.DUPLICATE]
    rows = with_reason(failed, wanted)
    if not rows:
        raise UsageError(f"RUN: nothing of {run_id} was {_kind(wanted)}.")
    retry_id = new_run_id()
    wanted_keys = {row["key"] for row in rows}
    columns = columns_of(files, run_id, wanted_keys) if planned["recipe"].get("columns") else {}
    address = _put_manifest(stack, retry_id, manifest_of(wanted_keys, columns))
    request = {
        "source": planned["source"],
        "recipe": planned["recipe"],
        "manifest": address,
        "retry": True,
        **more,
    }
    with plainly():
        execution = start_run(
            stack.client("stepfunctions"), stack.state_machine_arn, request, retry_id
        )
    show_start(stack, execution, as_json=as_json)


def _kind(reasons: Sequence[str]) -> str:
    return f"rejected or failed for {', '.join(reasons)}" if reasons else "rejected or failed"


def _put_manifest(stack: DeployedStack, run_id: str, body: bytes) -> str:
    """Leave the keys where the planner may read them; gives the address."""
    key = manifest_key(run_id)
    with plainly():
        stack.client("s3").put_object(Bucket=stack.output_bucket, Key=key, Body=body)
    return f"s3://{stack.output_bucket}/{key}"
