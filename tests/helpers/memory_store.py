"""A store in memory, for what asks for one and does no I/O itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class MemoryStore:
    """Objects by key. `before_read` and `before_write` are called once: another comes between."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.before_read: Callable[[], None] | None = None
        self.before_write: Callable[[], None] | None = None

    def read(self, key: str) -> bytes:
        interruption, self.before_read = self.before_read, None
        if interruption:
            interruption()
        try:
            return self.objects[key]
        except KeyError:
            raise FileNotFoundError(key) from None

    def write(self, key: str, body: bytes) -> None:
        interruption, self.before_write = self.before_write, None
        if interruption:
            interruption()
        self.objects[key] = body

    def keys(self, folder: str) -> list[str]:
        return sorted(key for key in self.objects if key.startswith(folder))

    def remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.objects.pop(key, None)
