"""The shards of a run that was planned."""

from __future__ import annotations

import json
from collections.abc import Iterator

from imagemill_app.stores import read_bytes, store_of
from imagemill_contract.documents import Shard
from imagemill_contract.keys import plan_key, relative_key
from imagemill_contract.locations import Location, split_object_address


def shard_addresses(output: Location, run_id: str) -> list[str]:
    """Addresses of a run's shard documents, in order. Raises FileNotFoundError without a plan."""
    return [item["shard"] for item in json.loads(read_bytes(output, plan_key(run_id)))]


def shard_at(address: str) -> Shard:
    """The shard at an address. Raises DocumentError, or FileNotFoundError if there is none."""
    location, key = split_object_address(address, "plan.shard")
    return Shard.decode(store_of(location.root).get(key).bytes().to_bytes())


def planned_keys(output: Location, run_id: str) -> set[str]:
    """Keys, below the source, of all objects that a run has planned; none without a plan."""
    try:
        return {
            relative_key(item.key, shard.source.prefix)
            for shard in planned_shards(output, run_id)
            for item in shard.objects
        }
    except FileNotFoundError:
        return set()


def planned_shards(output: Location, run_id: str) -> Iterator[Shard]:
    """A run's shards, one at a time."""
    return map(shard_at, shard_addresses(output, run_id))
