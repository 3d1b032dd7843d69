"""The command line of the soak."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from benchmarks.chaos.pace import write_pace
from benchmarks.chaos.paced_tool import set_pace
from benchmarks.chaos.quiet import QuietResults
from benchmarks.chaos.rounds import Ground, Told
from benchmarks.chaos.stack_rounds import StackRound, Stacks
from benchmarks.chaos.step_rounds import StepRound
from benchmarks.chaos.tool_rounds import ToolRound
from tests.helpers.faults.memory_s3 import CREDENTIALS, MemoryS3

OUTPUTS = ("files", "webdataset", "parquet")
SUBJECTS = ("jobs", "tool", "stack")
_WEIGHTS = (5, 2, 2)


def main() -> int:
    options = _parser().parse_args()
    numbers = [options.round] if options.round is not None else range(options.rounds)
    ends_at = time.monotonic() + 60 * options.minutes
    total, began, rounds = Told(), time.monotonic(), 0
    with _ground() as (ground, stacks):
        for number in numbers:
            told = _told(ground, stacks, options, number)
            total.add(told)
            rounds += 1
            if time.monotonic() >= ends_at:
                break
    seconds = round(time.monotonic() - began)
    summary = {"rounds": rounds, "seconds": seconds, **vars(total)}
    print(json.dumps(summary, ensure_ascii=False), flush=True)
    return 1 if total.violations else 0


@contextmanager
def _ground() -> Iterator[tuple[Ground, Stacks]]:
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, MemoryS3() as s3:
        folder = Path(name)
        write_pace(folder)
        set_pace(folder)
        with Stacks() as stacks:
            os.environ |= {**CREDENTIALS, "AWS_ENDPOINT_URL": s3.endpoint_url}
            yield Ground(folder, folder, s3, QuietResults(folder / "quiet")), stacks


def _told(ground: Ground, stacks: Stacks, options: argparse.Namespace, number: int) -> Told:
    """Do one round and print its line."""
    began, name = time.monotonic(), f"{options.seed}-{number}"
    random = Random(f"{options.seed}/{number}")
    subject = random.choices(SUBJECTS, _WEIGHTS)[0]
    output = random.choice(OUTPUTS)
    subject = subject if options.of == "all" else options.of
    output = output if options.output == "all" else options.output
    made: dict[str, Callable[[], Told]] = {
        "jobs": lambda: StepRound(ground, random, name, output).run(),
        "tool": lambda: ToolRound(ground, random, name, output).run(),
        "stack": lambda: StackRound(ground, random, name, output, stacks.one()).run(),
    }
    told = made[subject]()
    line = {"seed": options.seed, "round": number, "seconds": round(time.monotonic() - began, 1)}
    print(json.dumps({**line, **vars(told)}, ensure_ascii=False), flush=True)
    return told


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, help="this round of the seed alone")
    parser.add_argument("--rounds", type=int, default=10**9, help="at most so many")
    parser.add_argument("--output", choices=(*OUTPUTS, "all"), default="all")
    parser.add_argument("--of", choices=(*SUBJECTS, "all"), default="all")
    return parser


if __name__ == "__main__":
    sys.exit(main())
