"""The shards of a run that was planned."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from imagemill_app.stores import read_bytes, store_of
from imagemill_contract.documents import Shard
from imagemill_contract.keys import plan_key, shard_id_in, slice_of
from imagemill_contract.locations import Location, split_object_address


def shard_addresses(output: Location, run_id: str) -> list[str]:
    """Addresses of a run's shard documents, in order. Raises FileNotFoundError without a plan."""
    return [item["shard"] for item in json.loads(read_bytes(output, plan_key(run_id)))]


def shard_at(address: str) -> Shard:
    """The shard at an address. Raises DocumentError, or FileNotFoundError if there is none."""
    location, key = split_object_address(address, "plan.shard")
    return Shard.decode(store_of(location.root).get(key).bytes().to_bytes())


def shard_ids_of_slice(output: Location, run_id: str, number: int) -> set[str]:
    """Names of the shards of one slice of a run. Raises FileNotFoundError without a plan."""
    names = map(shard_id_in, shard_addresses(output, run_id))
    return {name for name in names if slice_of(name) == number}


def shards_of_slice(output: Location, run_id: str, number: int) -> Iterator[Shard]:
    """The shards of one slice of a run, one at a time. Raises FileNotFoundError without a plan."""
    return planned_shards(output, run_id, shard_ids_of_slice(output, run_id, number))


def planned_shards(
    output: Location, run_id: str, shard_ids: Collection[str] | None = None
) -> Iterator[Shard]:
    """A run's shards, or those of them with the given ids, one at a time.

    Raises FileNotFoundError without a plan.
    """
    addresses = shard_addresses(output, run_id)
    if shard_ids is not None:
        addresses = [address for address in addresses if shard_id_in(address) in shard_ids]
    return map(shard_at, addresses)
