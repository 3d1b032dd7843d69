"""What this package needs from a store. Callers bring one; nothing here does I/O itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class ObjectStore(Protocol):
    """The objects of one output. Keys are below it."""

    def read(self, key: str) -> bytes:
        """The whole object. Raises FileNotFoundError if there is none."""

    def write(self, key: str, body: bytes) -> None:
        """Write an object, whole or not at all."""

    def keys(self, folder: str) -> list[str]:
        """Keys of all objects below a folder, in order."""

    def remove(self, keys: Iterable[str]) -> None:
        """Delete objects; missing ones are no error."""
