"""What is written in memory, over a store that others see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from io import UnsupportedOperation

from imagemill_app.stores import StoreAt


@dataclass(frozen=True, slots=True)
class Overlay:
    """A store in which what is written is seen by whoever reads it here, and by nobody else."""

    below: StoreAt
    written: dict[str, bytes] = field(default_factory=dict)

    def read(self, key: str) -> bytes:
        return self.written[key] if key in self.written else self.below.read(key)

    def write(self, key: str, body: bytes) -> None:
        self.written[key] = body

    def copy(self, key: str, to: str) -> None:
        """Write what was written here where everybody sees it."""
        self.below.write(to, self.written[key])

    def keys(self, folder: str) -> list[str]:
        own = {key for key in self.written if key.startswith(folder)}
        return sorted(own.union(self.below.keys(folder)))

    def remove(self, keys: Iterable[str]) -> None:
        raise UnsupportedOperation("nothing can be removed that others see")
