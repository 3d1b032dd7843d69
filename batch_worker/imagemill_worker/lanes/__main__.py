"""The process of a lane: `python -m imagemill_worker.lanes`, started by `lane_process` alone."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
import warnings

from imagemill_worker.errors import StoreRefusedError, TryAgainError
from imagemill_worker.lanes.lane import Lane
from imagemill_worker.lanes.messages import Assignment, FaultName
from imagemill_worker.lanes.process_limits import limit_this_process


def main() -> int:
    """Do what standard input says. Returns exit code 0, or 1 after a fault that was reported."""
    assignment, files = Assignment.decode(_first_line_of_input())
    limit_this_process()
    warnings.simplefilter("ignore")  # Pillow's remarks on files; what matters is in the outcomes
    threading.Thread(target=_die_with_supervisor, daemon=True).start()
    lane = Lane(assignment, files)
    signal.signal(signal.SIGTERM, lambda *_: lane.stopping.set())
    try:
        lane.run()
    except (TryAgainError, MemoryError) as error:
        lane.report(FaultName.TRY_AGAIN, str(error) or type(error).__name__)
        return 1
    except StoreRefusedError as error:
        lane.report(FaultName.STORE_REFUSED, str(error))
        return 1
    except BaseException:
        lane.report(FaultName.BUG, traceback.format_exc())
        raise
    return 0


def _first_line_of_input() -> bytes:
    """Read past Python's buffers, which a waiting thread would hold when the process ends."""
    line = b""
    while not line.endswith(b"\n"):
        data = os.read(sys.stdin.fileno(), 1 << 20)
        if not data:
            os._exit(1)
        line += data
    return line


def _die_with_supervisor() -> None:
    """End this process when the supervisor's end of the pipe closes, however it ended."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


os._exit(main())  # everything is written: no need to take the libraries apart
