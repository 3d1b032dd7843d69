"""The intermediate shard: the resized pictures of a work shard in one tar, for its edge job."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO

from imagemill_contract.documents import Shard
from imagemill_contract.keys import intermediate_key
from imagemill_contract.outcomes import Outcome, Status
from imagemill_worker import stores
from imagemill_worker.errors import ArgumentsError
from imagemill_worker.spool import Spooled, disk_told, temporary_file


def write_intermediate(
    store: stores.Store, shard: Shard, outcomes: Sequence[Outcome], spooled: Mapping[int, Spooled]
) -> list[Outcome]:
    """Pack all pictures, in the shard's order, and write them as one object.

    `spooled` has the products by place in the shard. Returns the outcomes with key and position;
    without a picture nothing is written.

    Raises:
        TryAgainError: The store cannot be reached, or a disk is full.
        StoreRefusedError: The job may not write there.
    """
    if not spooled:
        return list(outcomes)
    places = {at: position for position, at in enumerate(sorted(spooled))}
    key = _key_of(shard)
    with temporary_file() as file:
        with (
            disk_told(),
            tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for at, position in places.items():
                member = tarfile.TarInfo(_member_name(position))
                member.size = spooled[at].length
                tar.addfile(member, io.BytesIO(spooled[at].read()))
        stores.write_file(store, key, file)
    return [
        replace(outcome, output_key=key, position=places[at]) if at in places else outcome
        for at, outcome in enumerate(outcomes)
    ]


def fetch_intermediate(
    store: stores.Store, shard: Shard, resize_outcomes: Sequence[Outcome], file: BinaryIO
) -> list[int]:
    """Copy the intermediate shard into `file`; returns where each picture in it begins, in bytes.

    Raises:
        ArgumentsError: It is not there, or not what the outcomes say.
        TryAgainError: The store cannot be reached, or the disk is full.
    """
    sizes = [row.output_bytes for row in resize_outcomes if row.status is Status.WRITTEN]
    if not sizes:
        return []
    stores.fetch_file(store, _key_of(shard), file)
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            members = [(member.name, member.size, member.offset_data) for member in tar]
    except tarfile.TarError as error:
        raise ArgumentsError(f"The intermediate shard {_key_of(shard)!r} is damaged.") from error
    expected = [(_member_name(position), size) for position, size in enumerate(sizes)]
    if [member[:2] for member in members] != expected:
        raise ArgumentsError(
            f"The intermediate shard {_key_of(shard)!r} does not hold the pictures of the outcomes."
        )
    return [offset for _, _, offset in members]


def _key_of(shard: Shard) -> str:
    return shard.output.prefix + intermediate_key(shard.run_id, shard.shard_id)


def _member_name(position: int) -> str:
    return f"{position:08d}"
