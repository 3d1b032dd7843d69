"""What becomes of each body when nothing goes wrong, made by the worker itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.chaos.blows import Ring
from benchmarks.chaos.jobs import Attempt
from benchmarks.chaos.pictures import bad, good
from benchmarks.chaos.places import BucketPlace, FolderPlace
from benchmarks.chaos.steps import StepRun
from imagemill_contract import keys
from imagemill_contract.documents import Shard, decode_outcomes
from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.outcomes import Outcome
from imagemill_contract.recipe import Recipe

# Fields of a recipe that say how results are kept, and not what they are.
_KEEPING = ("output", "shard_bytes", "split", "shuffle", "seed", "label_from_folder")


@dataclass(frozen=True, slots=True)
class Result:
    """What becomes of a body: two files, or the reason why there are none."""

    resized: bytes = b""
    edges: bytes = b""
    reason: str = ""

    def of(self, stage: Stage) -> bytes:
        return self.resized if stage is Stage.RESIZE else self.edges

    def digest(self, stage: Stage) -> str:
        return hashlib.sha256(self.of(stage)).hexdigest()


class QuietResults:
    """Results by body; those of a recipe are made when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, dict[bytes, Result]] = {}

    def of(self, recipe: Mapping[str, object]) -> dict[bytes, Result]:
        fields = {name: value for name, value in recipe.items() if name not in _KEEPING}
        name = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:8]
        if name not in self._known:
            self._known[name] = _results(self._folder / name, fields)
        return self._known[name]


def _results(base: Path, recipe: dict[str, object]) -> dict[bytes, Result]:
    place = FolderPlace(base)
    pictures = {f"{number:03}": body for number, body in enumerate((*good(), *bad()))}
    place.fill(pictures)
    run = StepRun(place, "quiet", recipe, base, Ring())
    run.plan(shards=1)
    run.work()
    verdict = run.report()
    assert verdict.verdict == "succeeded", verdict
    files = place.files()
    done = Recipe.from_document(recipe)
    rows = rows_of(files, "quiet", Stage.RESIZE)
    results = {}
    for name, body in pictures.items():
        names = [keys.output_key(stage, name, done) for stage in stages_of(Recipe())]
        if reason := rows[name].reason:
            results[body] = Result(reason=str(reason))
        else:
            results[body] = Result(files[names[0]], files[names[1]])
    assert {results[body].reason == "" for body in good()} == {True}
    return results


def rows_of(files: Mapping[str, bytes], run_id: str, stage: Stage) -> dict[str, Outcome]:
    """Rows of all outcome documents of a stage, by whole key. Raises ValueError for two of one."""
    folder = f"{keys.run_folder(run_id)}outcomes/{stage}/"
    rows: dict[str, Outcome] = {}
    for key, body in files.items():
        for row in decode_outcomes(body)[1] if key.startswith(folder) else ():
            if row.key in rows:
                raise ValueError(f"{row.key!r} has two outcomes in {stage}")
            rows[row.key] = row
    return rows


def quiet_dataset(
    shard: Shard, pictures: Mapping[str, bytes], place: BucketPlace, log: Path
) -> dict[str, bytes]:
    """The dataset shards of a work shard, packed where nothing goes wrong, by key.

    A bucket holds pictures of all names, and the bytes of a shard do not depend on where it lies.
    """
    place.fill(pictures)
    before, now = shard.source.prefix, place.source.prefix
    objects = [
        item._replace(key=now + item.key.removeprefix(before), etag="") for item in shard.objects
    ]
    copy = replace(shard, source=place.source, output=place.output, objects=objects)
    key = keys.shard_key(shard.run_id, shard.shard_id)
    place.put(key, copy.encode())
    for stage in stages_of(Recipe()):
        address = place.output.address_of(place.output.prefix + key)
        attempt = Attempt.start(place, stage, address, log, None, 0)
        assert attempt.ended() == 0, log.read_text()
    return place.files(keys.DATASET)
