"""Processes below another one, as the kernel has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    parent: int
    command: tuple[str, ...]

    def is_module(self, name: str) -> bool:
        """Whether it is `python -m NAME`."""
        return self.command[1:3] == ("-m", name)


def descendants(pid: int) -> list[Process]:
    """Children, and theirs, each after its parent."""
    children: dict[int, list[Process]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            text = (folder / "cmdline").read_bytes().decode(errors="replace")
        except (OSError, IndexError):
            continue
        found = Process(int(folder.name), parent, tuple(text.split("\0")))
        children.setdefault(parent, []).append(found)
    below, queue = [], [pid]
    while queue:
        for child in children.get(queue.pop(0), []):
            below.append(child)
            queue.append(child.pid)
    return below
