"""The command line of the job: `python -m imagemill_worker resize|edge --shard URI`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from enum import IntEnum

from imagemill_contract.keys import Stage


class ExitCode(IntEnum):
    DONE = 0  # every object has its outcome, also where pictures were rejected
    BUG = 1
    BAD_ARGUMENTS = 2  # or bad documents; argparse's own code too
    TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job. Returns the exit code."""
    options = _parser().parse_args(arguments)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())

    from imagemill_worker import job
    from imagemill_worker.errors import ArgumentsError, StoreRefusedError, TryAgainError
    from imagemill_worker.limits import allotted_vcpus
    from imagemill_worker.supervise import LaneBugError

    try:
        opened = job.open_job(Stage(options.stage), options.shard)
        job.run_job(opened, options.threads, options.vcpus or allotted_vcpus(), stopping)
    except ArgumentsError as error:
        return _ended(ExitCode.BAD_ARGUMENTS, error)
    except (StoreRefusedError, LaneBugError) as error:
        return _ended(ExitCode.BUG, error)
    except (TryAgainError, MemoryError) as error:
        return _ended(ExitCode.TRY_AGAIN, error)
    return ExitCode.DONE


def _ended(code: ExitCode, error: Exception) -> ExitCode:
    sys.stderr.write(f"imagemill_worker: {error or type(error).__name__}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="imagemill_worker", description=__doc__)
    parser.add_argument("stage", choices=[str(stage) for stage in Stage])
    parser.add_argument(
        "--shard", required=True, metavar="URI", help="address of the shard document"
    )
    parser.add_argument(
        "--threads", type=_count, default=32, help="objects in flight for each vCPU"
    )
    parser.add_argument(
        "--vcpus", type=_count, help="default: the container's own allocation, or 1"
    )
    return parser


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 512:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to 512")
    return count
