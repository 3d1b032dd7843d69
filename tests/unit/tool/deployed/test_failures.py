"""What a retry asks for: the keys of failures, with the columns that the run has planned."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from imagemill.deployed.documents import columns_of
from imagemill.deployed.failures import manifest_of
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe

RECIPE = Recipe.from_document({"columns": ["caption", "year:int"]})
SHARDS = (
    [SourceObject("full/a.jpg", "e", 5, ("ä", 2024)), SourceObject("full/b.jpg", "e", 5, ("b", 1))],
    [SourceObject("full/c.jpg", "e", 5, (None, 2025)), SourceObject("full/d.jpg", "e", 5)],
)


@dataclass
class Documents:
    """What runs have left, in memory."""

    bodies: dict[str, bytes] = field(default_factory=dict)

    def read(self, key: str) -> bytes | None:
        return self.bodies.get(key)

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self.bodies if key.startswith(prefix))

    def run_ids(self) -> list[str]:
        return ["run-1"]

    def place_of(self, key: str) -> str:
        return key


def documents() -> Documents:
    found = Documents()
    for number, objects in enumerate(SHARDS):
        shard_id = keys.shard_id_of(number)
        places = Location("s3://input", "full/"), Location("s3://output")
        shard = Shard("run-1", shard_id, *places, RECIPE, objects)
        found.bodies[keys.shard_key("run-1", shard_id)] = shard.encode()
    return found


def test_manifest_of_a_retry_has_the_columns_that_the_run_has_planned() -> None:
    wanted = {"full/d.jpg", "full/c.jpg", "full/a.jpg", "full/refused.jpg"}
    lines = manifest_of(wanted, columns_of(documents(), "run-1", wanted)).decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"key": "full/a.jpg", "caption": "ä", "year": 2024},
        {"key": "full/c.jpg", "caption": None, "year": 2025},
        {"key": "full/d.jpg"},
        {"key": "full/refused.jpg"},
    ]


def test_columns_of_another_run_are_none() -> None:
    assert columns_of(documents(), "run-2", {"full/a.jpg"}) == {}
