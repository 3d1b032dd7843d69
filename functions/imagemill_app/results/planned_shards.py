"""The shards of a run that was planned."""

from __future__ import annotations

import json
from collections.abc import Iterator

from imagemill_app.stores import read_bytes, store_of
from imagemill_contract.documents import Shard
from imagemill_contract.keys import plan_key
from imagemill_contract.locations import Location, split_object_address


def shard_addresses(output: Location, run_id: str) -> list[str]:
    """Addresses of a run's shard documents, in order. Raises FileNotFoundError without a plan."""
    return [item["shard"] for item in json.loads(read_bytes(output, plan_key(run_id)))]


def shard_at(address: str) -> Shard:
    """Raises DocumentError, and FileNotFoundError when there is none."""
    location, key = split_object_address(address, "plan.shard")
    return Shard.decode(store_of(location.root).get(key).bytes().to_bytes())


def planned_shards(output: Location, run_id: str) -> Iterator[Shard]:
    """A run's shards, one at a time."""
    return map(shard_at, shard_addresses(output, run_id))
