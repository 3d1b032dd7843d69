"""The process of a lane: `python -m imagemill_worker.lanes STAGE`, started by `spares` alone."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import traceback
import warnings

from imagemill_contract.keys import Stage
from imagemill_worker.errors import StoreRefusedError, TryAgainError
from imagemill_worker.lanes.lane import Lane
from imagemill_worker.lanes.messages import Assignment, FaultName
from imagemill_worker.lanes.process_limits import limit_this_process
from imagemill_worker.lanes.spares import received
from imagemill_worker.stages.picture_stages import import_libraries


def main() -> int:
    """Do what comes on standard input. Returns 0, or 1 after a fault that was reported."""
    gc.disable()  # modules are no garbage: to look for it takes a tenth of the start
    limit_this_process()
    warnings.simplefilter("ignore")  # Pillow's remarks on files; what matters is in the outcomes
    stage = Stage(sys.argv[1])
    # while the supervisor reads its job, and the first objects are on their way
    threading.Thread(target=_import_libraries, args=(stage,), daemon=True).start()
    link = socket.socket(fileno=sys.stdin.fileno())
    descriptors, message = received(link)
    if not message:
        os._exit(1)
    threading.Thread(target=_die_with_supervisor, args=(link,), daemon=True).start()
    assignment, files = Assignment.decode(message)
    lane = Lane(assignment, files.numbered(descriptors))
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


def _import_libraries(stage: Stage) -> None:
    import_libraries(stage)
    gc.freeze()
    gc.enable()


def _die_with_supervisor(link: socket.socket) -> None:
    """End this process when the supervisor's end of the link closes, however it ended."""
    while link.recv(1):
        pass
    os._exit(1)


os._exit(main())  # everything is written: no need to take the libraries apart
