"""The right to rewrite a dataset: it has one holder at a time, who must renew it to keep it.

Without it, a compaction beside another one, or beside a run that merges the index, would remove
what the other has just written. The holder checks it before each step that could harm others.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import ceil

from imagemill_contract.keys import upkeep_lock_key
from imagemill_dataset.stored_index import StoredIndex
from imagemill_dataset.upkeep_lock import STALE_AFTER_SECONDS, UpkeepLock, locks_by_number
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError, StoreRefusedError, TryAgainError

RENEW_SECONDS = 60.0
# A request may be under way when the lease runs out, and clocks differ, so only half of it is used.
TRUSTED_SECONDS = STALE_AFTER_SECONDS / 2
# With the longest request that is then begun, this is less than the other half.
PATIENCE_SECONDS = 120.0


@dataclass(slots=True)
class Lease:
    """A lock that is held. As an `ObjectStore` it writes and removes only while that is so.

    Attributes:
        dataset: What is rewritten.
        number: That of the lock.
        command: What the holder does.
        holder: A word that no other holder has.
    """

    dataset: DatasetStore
    number: int
    command: str
    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    _renewed: float = field(default_factory=time.time)
    _renewed_monotonic: float = field(default_factory=time.monotonic)

    def read(self, key: str) -> bytes:
        return self.dataset.read(key)

    def keys(self, folder: str) -> list[str]:
        return self.dataset.keys(folder)

    def write(self, key: str, body: bytes) -> None:
        self.check()
        self.dataset.write(key, body)

    def remove(self, keys: Iterable[str]) -> None:
        self.check()
        self.dataset.remove(keys)

    def check(self) -> None:
        """Raises TryAgainError if another may have taken over."""
        if self._idle_seconds() > TRUSTED_SECONDS or not self._is_held():
            raise TryAgainError(
                f"This {self.command} stood still for so long that another may have taken over. "
                "Nothing is lost. Run the same command again."
            )

    def settled_index(self) -> StoredIndex:
        """The index, no part of which belongs to a run that is still going on.

        Raises ArgumentsError if a run is open: it has a marker before it has a part.
        """
        index = self.dataset.opened_index()
        self.check_no_run_is_open()
        return index

    def check_no_run_is_open(self, instead: str = "") -> None:
        """Raises ArgumentsError, which also says what can be done `instead` of waiting."""
        runs = self.dataset.open_run_ids()
        if runs:
            named = ", ".join(runs[:3]) + (f" and {len(runs) - 3} more" if runs[3:] else "")
            are = "has" if len(runs) == 1 else "have"
            raise ArgumentsError(
                f"{named} {are} no report yet. Wait for the end; if it was stopped, start the next "
                f"run, which takes over what it has done{instead}."
            )

    def create(self) -> bool:
        """Create the lock, and return whether it is ours."""
        key = upkeep_lock_key(self.number)
        return self.dataset.create(key, self._document()) or self._is_mine()

    def renew_until(self, ended: threading.Event) -> None:
        """Renew the lease every minute, unless it may be lost already."""
        store, key = self.dataset.store, self.dataset.output.prefix + upkeep_lock_key(self.number)
        while not ended.wait(RENEW_SECONDS) and self._idle_seconds() <= TRUSTED_SECONDS:
            began, began_monotonic = time.time(), time.monotonic()
            if store.try_write_document(key, self._document()):
                self._renewed, self._renewed_monotonic = began, began_monotonic

    def give_back(self) -> None:
        """Remove the lock and those that were taken over. If that fails, they become stale."""
        with suppress(TryAgainError, StoreRefusedError):
            if self._is_mine():
                numbers = sorted(locks_by_number(self.dataset))
                gone = [number for number in numbers if number <= self.number]
                self.dataset.remove(map(upkeep_lock_key, gone))

    def _document(self) -> bytes:
        return UpkeepLock(self.holder, self.command, time.time()).encode()

    def _idle_seconds(self) -> float:
        """Seconds since the last renewal: the larger of those by wall clock and monotonic clock."""
        return max(time.time() - self._renewed, time.monotonic() - self._renewed_monotonic)

    def _is_held(self) -> bool:
        locks = locks_by_number(self.dataset)
        return max(locks, default=0) == self.number and locks[self.number].holder == self.holder

    def _is_mine(self) -> bool:
        lock = locks_by_number(self.dataset).get(self.number)
        return lock is not None and lock.holder == self.holder


@contextmanager
def upkeep_lease(dataset: DatasetStore, command: str) -> Iterator[Lease]:
    """Hold the right to rewrite a dataset until the block ends.

    Raises ArgumentsError if another holds it, TryAgainError or StoreRefusedError.
    """
    lease = _taken(dataset, command)
    ended = threading.Event()
    renewing = threading.Thread(target=lease.renew_until, args=(ended,), daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        ended.set()
        renewing.join()  # a renewal after the end would leave a lock
        lease.give_back()


def _taken(dataset: DatasetStore, command: str) -> Lease:
    locks = locks_by_number(dataset)
    _check_free(locks.values())
    lease = Lease(dataset, max(locks, default=0) + 1, command)
    try:
        if not lease.create():
            raise ArgumentsError(f"Another command is at work on {dataset.output}.")
        # two that have found different locks have different numbers; at least one sees the other
        locks = locks_by_number(dataset)
        _check_free(lock for number, lock in locks.items() if number != lease.number)
    except BaseException:
        lease.give_back()
        raise
    return lease


def _check_free(locks: Iterable[UpkeepLock]) -> None:
    """Raises ArgumentsError if one of the locks is fresh."""
    for lock in locks:
        if seconds := lock.seconds_left():
            raise ArgumentsError(
                f"imagemill {lock.command} is at work there already. Wait for its end; if it was "
                f"killed, try again in {ceil(seconds / 60)} minutes."
            )
