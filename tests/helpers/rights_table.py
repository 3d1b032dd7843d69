"""The table of docs/rights.md: each right, and what breaks without it.

`python -m tests.helpers.rights_table` tries out every right and writes the table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from imagemill.local_stack import LocalStack, deployed_on, worker_environment
from imagemill.project import ROOT
from imagemill_engine.engine import Engine
from tests.helpers.pages import plain, tables, text_of
from tests.helpers.rights import Grant, grants, without
from tests.helpers.rights_scenarios import SCENARIOS, Broken, World

PAGE = "docs/rights.md"
START = "<!-- written by make rights -->\n"
SUPERFLUOUS = "**nothing**"
ATTEMPTS = 3
IN_PARTS = "results of a Map in parts: the engine writes them whole"
LOG_DELIVERY = "log delivery: AWS asks when the state machine is created"

# Where to begin, by a part of a right's name; only to be done sooner.
SUGGESTED: Mapping[str, str] = {
    "DescribeExecution": "uploads",
    "GroupObjects": "upload",
    "PutEvents": "told",
    "inbox": "upload",
    "Slice": "slices",
    "CommitPlan": "slices",
    "drafts": "slices",
    "leaves": "slices",
    "metadata": "columns",
    "dataset": "dataset",
    "intermediate": "dataset",
    "journal": "stopped",
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
    "s3:GetObject AggregateRunRole OutputBucket/upkeep/*": "read only beside a compaction",
    "s3:GetObject AggregateRunRole InputBucket/*": "the page of a run has no pictures of sources",
    "s3:PutObject WorkerRole OutputBucket/runs/*/usage/*": "the bill of a run has no jobs",
    "s3:AbortMultipartUpload WorkerRole": "used only by a job that fails while it writes",
}


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


def breaks_without(stack: LocalStack, grant: Grant, scenario: str) -> bool:
    """Whether a scenario breaks on a stack without a right, and works again with it.

    A scenario that is broken with the right, too, had no time: it says nothing and is repeated.
    """
    for _ in range(ATTEMPTS):
        with without(stack.client, stack.name, grant):
            if not is_broken(stack, scenario):
                return False
        if not is_broken(stack, scenario):
            return True
    raise AssertionError(f"{scenario} is broken, whatever the rights are")


def is_broken(stack: LocalStack, scenario: str) -> bool:
    try:
        SCENARIOS[scenario](World(stack))
    except Broken:
        return True
    return False


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


def what_breaks(stack: LocalStack, grant: Grant, known: Mapping[str, str]) -> str:
    """The scenario that breaks without a right, or why none does."""
    if reason := reason_not_shown(grant):
        return reason
    tried = (name for name in likely(grant, known) if breaks_without(stack, grant, name))
    return next(tried, SUPERFLUOUS)


def main() -> None:
    """Try out every right, and write the table."""
    text, known = text_of(PAGE), rows()
    lines = ["| role | action | resource | breaks without it |", "|---|---|---|---|"]
    with stack_for_rights() as stack:
        for name in SCENARIOS:
            SCENARIOS[name](World(stack))
            sys.stderr.write(f"works: {name}\n")
        for grant in grants():
            found = what_breaks(stack, grant, known)
            cells = (grant.role, f"`{grant.action}`", f"`{grant.resource}`", found)
            lines.append(f"| {' | '.join(cells)} |")
            sys.stderr.write(lines[-1] + "\n")
    before = text.partition(START)[0]
    (ROOT / PAGE).write_text(before + START + "\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
