"""Signals to the processes of a whole run, at random moments, as long as it goes on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from benchmarks.chaos.processes import Process, descendants


@dataclass(frozen=True, slots=True)
class Shot:
    """A signal to a process that runs a module; SIGSTOP is followed by SIGCONT.

    Attributes:
        module: Which processes may be hit; "" is the first process itself.
        after_seconds: Since the shot before.
    """

    name: str
    module: str
    number: int
    after_seconds: float
    hold_seconds: float
    choice: float


WORKER, LANE, ENGINE = "imagemill_worker", "imagemill_worker.lanes", "imagemill_engine.server"
MILD = [
    ("worker killed", WORKER, signal.SIGKILL),
    ("worker held", WORKER, signal.SIGSTOP),
    ("lane killed", LANE, signal.SIGKILL),
    ("lane held", LANE, signal.SIGSTOP),
    ("engine held", ENGINE, signal.SIGSTOP),
]
DEADLY = [
    ("engine killed", ENGINE, signal.SIGKILL),
    ("engine told to stop", ENGINE, signal.SIGTERM),
    ("tool killed", "", signal.SIGKILL),
    ("tool told to stop", "", signal.SIGTERM),
    ("tool interrupted", "", signal.SIGINT),
]


def drawn_shots(random: Random, *, with_deadly: bool) -> list[Shot]:
    kinds = random.sample(MILD, random.randint(1, 4))
    if with_deadly and random.random() < 0.6:
        kinds.append(random.choice(DEADLY))
    return [
        Shot(*kind, random.uniform(0.05, 0.8), random.uniform(0.2, 1.5), random.random())
        for kind in kinds
    ]


def has_deadly(shots: list[Shot]) -> bool:
    return any(shot.name == name for shot in shots for name, _, _ in DEADLY)


def shoot(root: int, shots: list[Shot], counts: Counter[str], over: threading.Event) -> None:
    """Fire one after the other below `root`, the first when a worker is there."""
    while not over.is_set() and not _targets(root, WORKER):
        time.sleep(0.02)
    for shot in shots:
        if over.wait(shot.after_seconds):
            return
        targets = _targets(root, shot.module)
        if not targets:
            continue
        pid = targets[int(shot.choice * len(targets))]
        with suppress(ProcessLookupError):
            os.kill(pid, shot.number)
            counts[shot.name] += 1
            if shot.number == signal.SIGSTOP:
                time.sleep(shot.hold_seconds)
                os.kill(pid, signal.SIGCONT)


def _targets(root: int, module: str) -> list[int]:
    if not module:
        return [root]
    below: list[Process] = descendants(root)
    return [process.pid for process in below if process.is_module(module)]
