"""The command line. `python -m imagemill_worker STAGE --shard URI` are the Batch jobs.

`verify --output URI` and `compact --output URI` check and compact a packed dataset, and
`duplicates --output URI` finds its duplicates.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from imagemill_contract.errors import WorkerExit
from imagemill_contract.keys import Stage

_UPKEEP = {
    "verify": "read all dataset shards back and compare them with the index",
    "compact": "rewrite dataset shards without superseded samples, and merge small ones",
    "duplicates": "list samples whose pictures are the same or look alike",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job. Returns the exit code."""
    options = _parser().parse_args(arguments)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())

    from imagemill_contract.errors import ContractError
    from imagemill_worker.errors import (
        ArgumentsError,
        LaneBugError,
        StoreRefusedError,
        TryAgainError,
    )

    try:
        return _run(options, stopping)
    except (ArgumentsError, ContractError) as error:
        return _ended(WorkerExit.BAD_ARGUMENTS, error)
    except (StoreRefusedError, LaneBugError) as error:
        return _ended(WorkerExit.BUG, error)
    except (TryAgainError, MemoryError) as error:
        return _ended(WorkerExit.TRY_AGAIN, error)


def _run(options: argparse.Namespace, stopping: threading.Event) -> WorkerExit:
    if options.command == "verify":
        from imagemill_worker.dataset.verify import repair, verify

        if options.repair:
            is_whole = repair(options.output, stopping, force=options.force)
        else:
            is_whole = verify(options.output, stopping)
        return WorkerExit.DONE if is_whole else WorkerExit.DAMAGED
    if options.command == "compact":
        from imagemill_worker.dataset.compact import compact

        compact(options.output, stopping)
        return WorkerExit.DONE
    if options.command == "duplicates":
        from imagemill_contract.recipe_parts.choices import Measure
        from imagemill_worker.dataset.alike.duplicates import duplicates

        by = Measure(options.by)
        duplicates(options.output, stopping, by=by, distance=options.distance)
        return WorkerExit.DONE
    if options.command == Stage.MODEL:
        return _run_model(options, stopping)
    return _run_stage(options, stopping)


def _run_stage(options: argparse.Namespace, stopping: threading.Event) -> WorkerExit:
    from imagemill_worker.lanes.process_limits import allotted_vcpus
    from imagemill_worker.lanes.spares import close_spares, start_spares

    vcpus = options.vcpus or allotted_vcpus()
    start_spares(options.command, vcpus)  # they import for longer than this process does
    try:
        from imagemill_worker.attempt import Attempt
        from imagemill_worker.job import open_job

        job = open_job(Stage(options.command), options.shard)
        Attempt(job, options.threads, vcpus, stopping).run()
    finally:
        close_spares()
    return WorkerExit.DONE


def _run_model(options: argparse.Namespace, stopping: threading.Event) -> WorkerExit:
    from imagemill_worker.lanes.process_limits import allotted_vcpus
    from imagemill_worker.model.attempt import ModelAttempt

    vcpus = options.vcpus or allotted_vcpus()
    ModelAttempt(options.shard, options.gpu, vcpus, options.threads, stopping).run()
    return WorkerExit.DONE


def _ended(code: WorkerExit, error: Exception) -> WorkerExit:
    sys.stderr.write(f"imagemill_worker: {_harmless(str(error) or type(error).__name__)}\n")
    return code


def _harmless(text: str) -> str:
    """A text that may name a key, whose line breaks must not begin a line of the log."""
    lines = text.split("\n")
    return "\n| ".join(
        "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in line) for line in lines
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="imagemill_worker", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for stage in Stage:
        command = commands.add_parser(str(stage), help=f"make the {stage.results} of a shard")
        _add_job_options(command)
        if stage is Stage.MODEL:
            command.add_argument("--gpu", action="store_true", help="run on the GPU, or not at all")
    for name, text in _UPKEEP.items():
        command = commands.add_parser(name, help=text)
        command.add_argument(
            "--output", required=True, metavar="URI", help="address of the results of runs"
        )
        if name == "verify":
            _add_repair_options(command)
        if name == "duplicates":
            command.add_argument("--by", choices=("fingerprint", "vector"), default="fingerprint")
            command.add_argument("--distance", type=float, help="how far two may be apart")
    return parser


def _add_repair_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--repair", action="store_true", help="remove what stopped runs have left, and damage"
    )
    parser.add_argument(
        "--force", action="store_true", help="with --repair: take runs that are open for over"
    )


def _add_job_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--shard", required=True, metavar="URI", help="address of the shard document"
    )
    parser.add_argument(
        "--threads",
        type=_count,
        default=32,
        help="most objects in flight per vCPU; from a folder 8",
    )
    parser.add_argument(
        "--vcpus", type=_count, help="vCPUs to use (default: the container's allocation, or 1)"
    )


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 512:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to 512")
    return count
