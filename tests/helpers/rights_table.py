"""The table of docs/rights.md: each right, and what breaks without it.

`python -m tests.helpers.rights_table` tries out every right and writes the table. With words behind
it, it tries only the rights that have one of them in their names; other rows stay as they are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from imagemill.local_stack import LocalStack, deployed_on, worker_environment
from imagemill.project import ROOT
from imagemill_engine.engine import Engine
from tests.helpers.pages import plain, tables, text_of
from tests.helpers.rights import Grant, grants, without
from tests.helpers.rights_scenarios import SCENARIOS
from tests.helpers.rights_world import Broken, TooLate, Untried, World

PAGE = "docs/rights.md"
START = "<!-- written by make rights -->\n"
HEAD = "| role | action | resource | breaks without it |\n|---|---|---|---|\n"
NOT_SHOWN_BY_A_RUN = "not shown by a run"
NOT_YET = "not shown yet"
SUPERFLUOUS = "**nothing**"
ATTEMPTS = 3
KNOWN_SECONDS = 120.0  # for which a way that worked needs no second look
IN_PARTS = "results of a Map in parts: the engine writes them whole"
CLEARS_AWAY = "only a job that fails while it writes a large file uses it"
PICTURES_OF_OWN_STAGES = "the page shows pictures of a stage of one's own, and there is none"
LOG_DELIVERY = "log delivery: AWS asks when the state machine is created"

# Where to begin, by a part of a right's name; only to be done sooner.
SUGGESTED: Mapping[str, str] = {
    "PlanSliceRole s3:GetObject InputBucket": "columns_slices",
    "CommitPlanRole s3:GetObject OutputBucket/runs": "copies_slices",
    "PlanSliceRole s3:GetObject OutputBucket/runs": "half_done_slices",
    "PlanSliceRole s3:GetObject OutputBucket/journal": "half_done_slices",
    "PlanSliceRole s3:PutObject OutputBucket/journal": "half_done_slices",
    "PlanRunRole s3:GetObject OutputBucket/leaves": "fewer",
    "PlanRunRole s3:GetObject OutputBucket/journal": "half_done",
    "PlanRunRole s3:PutObject OutputBucket/leaves": "large",
    "PlanSliceRole s3:GetObject OutputBucket/model_output": "model_slices",
    "AggregateSliceRole s3:DeleteObject OutputBucket/model_output": "model_slices",
    "PlanSliceRole s3:GetObject OutputBucket/stages": "model_slices",
    "AggregateSliceRole s3:DeleteObject OutputBucket/stages": "model_slices",
    "OutputBucket/stages": "model",
    "model": "model",
    "PlanRunRole s3:PutObject OutputBucket/index": "stopped",
    "PlanRunRole s3:GetObject OutputBucket/runs": "stopped",
    "PlanRunRole s3:PutObject OutputBucket/journal": "half_done",
    "PlanRunRole s3:DeleteObject": "half_done",
    "CommitPlanRole s3:DeleteObject": "half_done_slices",
    "AggregateSliceRole s3:GetObject OutputBucket/dataset": "packed_slices",
    "AggregateSliceRole s3:GetObject OutputBucket/journal": "terminated_slices",
    "AggregateSliceRole s3:ListBucket": "terminated_slices",
    "AggregateSliceRole s3:DeleteObject": "pruned_slices",
    "AggregateRunRole s3:GetObject OutputBucket/leaves": "packed_slices",
    "AggregateRunRole s3:GetObject OutputBucket/journal": "terminated",
    "AggregateRunRole s3:GetObject OutputBucket/upkeep": "merged",
    "AggregateRunRole s3:PutObject OutputBucket/leaves": "merged",
    "AggregateRunRole s3:DeleteObject OutputBucket/index": "merged",
    "AggregateRunRole s3:DeleteObject OutputBucket/leaves": "merged",
    "AggregateRunRole s3:GetObject InputBucket": "by_hand",
    "PreprocessRole s3:PutObject": "terminated",
    "WorkerRole s3:ListBucket InputBucket": "gone",
    "WorkerRole s3:GetObject OutputBucket/journal": "half_done",
    "WorkerRole s3:PutObject OutputBucket/journal": "dataset",
    "DescribeExecution": "late",
    "GroupObjects": "upload",
    "PutEvents": "told",
    "inbox": "upload",
    "Slice": "slices",
    "CommitPlan": "slices",
    "drafts": "slices",
    "leaves": "slices",
    "metadata": "columns",
    "labels": "dataset",
    "open": "stopped",
    "dataset": "dataset",
    "intermediate": "dataset",
    "TerminateJob": "stopped",
    "DeleteObject": "pruned",
    "InputBucket/*": "manifest",
}

# Rights that the engine cannot show, by the beginning of their action, or of role and action.
NOT_SHOWN: Mapping[str, str] = {
    "xray:": "traces: there is no X-Ray here",
    "logs:CreateLogDelivery": LOG_DELIVERY,
    "logs:GetLogDelivery": LOG_DELIVERY,
    "logs:UpdateLogDelivery": LOG_DELIVERY,
    "logs:DeleteLogDelivery": LOG_DELIVERY,
    "logs:ListLogDeliveries": LOG_DELIVERY,
    "logs:PutResourcePolicy": LOG_DELIVERY,
    "logs:DescribeResourcePolicies": LOG_DELIVERY,
    "logs:DescribeLogGroups": LOG_DELIVERY,
    "states:DescribeExecution PreprocessRole": "distributed Map: AWS asks, the engine does not",
    "states:StopExecution": "distributed Map: AWS asks, the engine does not",
    "states:RedriveExecution": "redrive: the engine has none",
    "s3:AbortMultipartUpload PreprocessRole": IN_PARTS,
    "s3:ListMultipartUploadParts": IN_PARTS,
    "s3:GetObject PreprocessRole OutputBucket/runs/*/map/*": IN_PARTS,
    "s3:AbortMultipartUpload WorkerRole": CLEARS_AWAY,
    "s3:GetObject AggregateRunRole OutputBucket/stages": PICTURES_OF_OWN_STAGES,
    "batch:SubmitJob PreprocessRole GpuJobQueue": "the stack of the tries has no GPU machines",
}

_worked_at: dict[str, float] = {}


def allowed_words() -> set[str]:
    """What may stand in the last column."""
    return {*SCENARIOS, *(f"{NOT_SHOWN_BY_A_RUN}: {why}" for why in NOT_SHOWN.values())}


def reason_not_shown(grant: Grant) -> str | None:
    """Why the engine cannot show that a right is needed, or None if it can."""
    words = f"{grant.action} {grant.role} {grant.resource}"
    return next((why for start, why in NOT_SHOWN.items() if words.startswith(start)), None)


@contextmanager
def stack_for_rights() -> Iterator[LocalStack]:
    """A stack with small slices, whose image lies in a repository that asks for rights."""
    with Engine.start(vcpus=2, worker_env=worker_environment()) as engine:
        stack = deployed_on(engine, {"SliceObjects": "8"}, "rights")
        repository = engine.client("ecr").describe_repositories()["repositories"][0]
        image = f"{repository['repositoryUri']}@sha256:{'0' * 64}"
        yield deployed_on(engine, {"SliceObjects": "8", "WorkerImageUri": image}, stack.name)


def breaks_without(grant: Grant, scenario: str) -> bool:
    """Whether a way breaks on a new stack without a right, and works on a new one that has it.

    A way that is broken with the right, too, says nothing about it, and is tried again.
    Raises AssertionError if it is broken whatever the rights are.
    """
    for _ in range(ATTEMPTS):
        with stack_for_rights() as stack, without(stack.client, stack.name, grant):
            failure = failure_of(stack, scenario)
        if failure is None:
            return False
        if isinstance(failure, Untried):
            continue
        if works_with_all(scenario, is_late=isinstance(failure, TooLate)):
            return True
    raise AssertionError(f"{scenario} is broken, whatever the rights are")


def works_with_all(scenario: str, *, is_late: bool) -> bool:
    """Whether a way works on a new stack of the template, or has just done so.

    After a way was too late it is tried anew: the machine may be busy.
    """
    is_known = time.monotonic() - _worked_at.get(scenario, -KNOWN_SECONDS) < KNOWN_SECONDS
    if is_known and not is_late:
        return True
    return failure_with_all(scenario) is None


def failure_with_all(scenario: str) -> Broken | None:
    """How a way breaks on a new stack of the template, which may have to be tried again."""
    failure: Broken | None = None
    for _ in range(ATTEMPTS):
        with stack_for_rights() as stack:
            failure = failure_of(stack, scenario)
        if failure is None:
            _worked_at[scenario] = time.monotonic()
        if not isinstance(failure, TooLate | Untried):
            break
    return failure


def failure_of(stack: LocalStack, scenario: str) -> Broken | None:
    """How a way breaks on a stack; None if it works."""
    try:
        SCENARIOS[scenario](World(stack))
    except Broken as failure:
        return failure
    return None


def rows() -> dict[str, str]:
    """What the page says, by the name of each right."""
    found = [row for rows in tables(text_of(PAGE)) for row in rows if "role" in row]
    return {
        plain(f"{row['role']} {row['action']} {row['resource']}"): plain(row["breaks without it"])
        for row in found
    }


def likely(grant: Grant, known: Mapping[str, str]) -> list[str]:
    """The scenarios: first the one that broke last time, then those that the names suggest."""
    suggested = [scenario for word, scenario in SUGGESTED.items() if word in grant.name]
    order = [known.get(grant.name, ""), *suggested]
    return sorted(SCENARIOS, key=lambda name: order.index(name) if name in order else len(order))


def what_breaks(grant: Grant, known: Mapping[str, str]) -> str:
    """The way that breaks without a right, or why none does."""
    if reason := reason_not_shown(grant):
        return f"{NOT_SHOWN_BY_A_RUN}: {reason}"
    tried = (name for name in likely(grant, known) if breaks_without(grant, name))
    return next(tried, SUPERFLUOUS)


def write_page(found: Mapping[str, str]) -> None:
    """Write the table of what breaks, by the name of each right."""
    before = text_of(PAGE).partition(START)[0]
    rows = (
        f"| {grant.role} | `{grant.action}` | `{grant.resource}` "
        f"| {found.get(grant.name, NOT_YET)} |\n"
        for grant in grants()
    )
    (ROOT / PAGE).write_text(f"{before}{START}\n{HEAD}{''.join(rows)}")


def main(words: Sequence[str]) -> None:
    """Try out rights, and write the table after each: a try takes seconds, all of them a while."""
    found = rows()
    for grant in grants():
        if not words or any(word in grant.name for word in words):
            found[grant.name] = what_breaks(grant, found)
            sys.stderr.write(f"{grant.name}: {found[grant.name]}\n")
            write_page(found)


if __name__ == "__main__":
    main(sys.argv[1:])
