"""The intermediate shard: the resized pictures of a work shard in tars, for its edge job.

It is written in pieces while the job is running, so that a stopped job loses little. Which pictures
share a piece depends on timing; what is made from them does not.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from types import TracebackType
from typing import BinaryIO, Self

from imagemill_contract.documents import Shard
from imagemill_contract.keys import intermediate_key
from imagemill_contract.outcomes import Outcome, Status
from imagemill_worker.dataset.formats.tar_archive import files_in, write_archive
from imagemill_worker.errors import ArgumentsError
from imagemill_worker.journal import Journal
from imagemill_worker.spool import Spooled, disk_errors_mapped, temporary_file
from imagemill_worker.stores.store import Store

# A piece is one request for thousands of small pictures, and at most half a minute of work.
_PIECE_BYTES, _LEAST_PIECE_BYTES, _SECONDS = 64 << 20, 4 << 20, 30.0
_SECONDS_IN_FOLDER = 5.0
_READS_OF_DAMAGED = 3
_Placed = tuple[str, int, int]  # a member's name, length and offset
_Offsets = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Member:
    """A picture that waits for its piece, with its place in the work shard."""

    place: int
    outcome: Outcome
    spooled: Spooled


class IntermediateWriter:
    """Writes pieces beside the lanes, and notes each in the journal when it is there.

    Use as a context manager: leaving it waits for the piece that is being written.
    """

    def __init__(self, store: Store, shard: Shard, journal: Journal) -> None:
        self._store = store
        self._shard = shard
        self._journal = journal
        self._waiting: list[_Member] = []
        self._bytes = 0
        self._began_at = time.monotonic()
        self._thread = ThreadPoolExecutor(1, "intermediate")
        self._written: list[Future[dict[int, Outcome]]] = []
        self._outcomes: dict[int, Outcome] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def add(self, place: int, outcome: Outcome, spooled: Spooled) -> None:
        """Take a picture, by its place in the work shard."""
        self._waiting.append(_Member(place, outcome, spooled))
        self._bytes += spooled.total_bytes

    def write_when_due(self) -> None:
        """Start writing a piece if there is enough for one. Raises what an earlier piece raised."""
        self._note_written()
        if self._is_due():
            self._begin_piece()

    def finished(self) -> dict[int, Outcome]:
        """Write what is left, and return the outcomes with key and position, by place.

        Raises TryAgainError or StoreRefusedError, also for an earlier piece.
        """
        self._begin_piece()
        self._thread.shutdown()
        self._note_written()
        return self._outcomes

    def _is_due(self) -> bool:
        if self._bytes >= _PIECE_BYTES:
            return True
        in_folder = self._shard.output.is_file
        seconds = _SECONDS_IN_FOLDER if in_folder else _SECONDS
        has_enough = self._bytes >= (1 if in_folder else _LEAST_PIECE_BYTES)
        return has_enough and time.monotonic() - self._began_at >= seconds

    def _begin_piece(self) -> None:
        members, self._waiting, self._bytes = self._waiting, [], 0
        self._began_at = time.monotonic()
        if members:
            members.sort(key=lambda member: member.place)
            self._written.append(self._thread.submit(self._write_piece, members))

    def _write_piece(self, members: Sequence[_Member]) -> dict[int, Outcome]:
        names = "\n".join(member.outcome.key for member in members)
        digest = hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        spooled = [of_size for member in members for of_size in member.spooled.sizes]
        whole_key = write_piece(self._store, self._shard, digest, spooled)
        starts = accumulate((len(member.spooled.sizes) for member in members), initial=0)
        return {
            member.place: member.outcome._replace(output_key=whole_key, position=position)
            for position, member in zip(starts, members, strict=False)
        }

    def _note_written(self) -> None:
        while self._written and self._written[0].done():
            outcomes = self._written.pop(0).result()
            self._outcomes |= outcomes
            for outcome in outcomes.values():
                self._journal.add(outcome)


def write_piece(store: Store, shard: Shard, name: str, files: Sequence[Spooled]) -> str:
    """Write a piece with these files, in their order, and return its whole key.

    Raises TryAgainError or StoreRefusedError.
    """
    key = shard.output.prefix + intermediate_key(shard.run_id, shard.shard_id, name)
    with temporary_file() as file:
        with disk_errors_mapped():
            write_archive(
                file, ((_member_name(place), spooled.read()) for place, spooled in enumerate(files))
            )
        store.write_file(key, file)
    return key


def fetch_intermediate(store: Store, outcomes: Sequence[Outcome], file: BinaryIO) -> list[_Offsets]:
    """Copy all pieces into `file`, and return where each file begins, by place; empty without one.

    The sizes of a picture follow each other, the largest first.

    What comes damaged is fetched again.

    Raises:
        ArgumentsError: A piece is missing, or not what the outcomes say.
        TryAgainError: The store cannot be reached, or the disk is full.
    """
    for _ in range(_READS_OF_DAMAGED - 1):
        with suppress(ArgumentsError):
            return _fetched_pieces(store, outcomes, file)
        file.truncate(0)
    return _fetched_pieces(store, outcomes, file)


def _fetched_pieces(store: Store, outcomes: Sequence[Outcome], file: BinaryIO) -> list[_Offsets]:
    pieces: dict[str, list[_Placed]] = {}
    for row in outcomes:
        if row.status is Status.WRITTEN and row.output_key not in pieces:
            pieces[str(row.output_key)] = _fetched(store, str(row.output_key), file)
    return [tuple(_offsets_of(row, pieces)) for row in outcomes]


def _fetched(store: Store, key: str, file: BinaryIO) -> list[_Placed]:
    """Append a piece to `file`, and return the name, length and offset of each member."""
    start = file.seek(0, io.SEEK_END)
    store.fetch_file(key, file)
    file.seek(start)
    try:
        return list(files_in(file))
    except ValueError as error:
        raise ArgumentsError(f"The intermediate shard {key!r} is damaged.") from error


def _offsets_of(row: Outcome, pieces: Mapping[str, list[tuple[str, int, int]]]) -> Iterator[int]:
    if row.status is not Status.WRITTEN:
        return
    members, first = pieces[str(row.output_key)], row.position or 0
    for position, of_size in enumerate(row.sizes, start=first):
        name, length, offset = members[position] if position < len(members) else ("", 0, 0)
        if (name, length) != (_member_name(position), of_size.output_bytes):
            raise ArgumentsError(f"The intermediate shard {row.output_key!r} holds other pictures.")
        yield offset


def _member_name(position: int) -> str:
    return f"{position:08d}"
