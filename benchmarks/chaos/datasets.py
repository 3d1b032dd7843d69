"""What must be true of a packed dataset."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.chaos.checks import Expected, index_of, sha256
from benchmarks.chaos.places import BucketPlace
from benchmarks.chaos.quiet import quiet_dataset, rows_of
from imagemill_contract import keys
from imagemill_contract.documents import Shard
from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.outcomes import Status
from imagemill_contract.recipe import Recipe
from imagemill_dataset.names import EXTENSIONS, format_of
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import DamagedShardError, Sample

_ENDS = tuple(EXTENSIONS.values())
_CARDS = (keys.DATASET_CARD, keys.DATASET_README, keys.LABELS_TEXT)


def shard_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Dataset shards by key."""
    return {
        key: body
        for key, body in files.items()
        if key.startswith(keys.DATASET)
        and key.endswith(_ENDS)
        and key not in _CARDS
        and not key.startswith(keys.INDEX_TABLE)
        and not key.startswith(keys.LABELS)
    }


def orphans(files: Mapping[str, bytes]) -> set[str]:
    """Dataset shards that no index names."""
    return shard_files(files).keys() - index_of(files).shards.keys()


def check_shards(files: Mapping[str, bytes], expected: Expected) -> Iterator[str]:
    """Every shard is whole, as the index has it, and of samples that a quiet run makes."""
    samples: dict[str, list[Sample]] = {}
    for key, body in shard_files(files).items():
        try:
            samples[key] = list(dataset_format(format_of(key)).read(io.BytesIO(body)))
        except DamagedShardError as error:
            yield f"{key} is half-written: {error}"
        for sample in samples.get(key, []):
            result = expected.result(sample.filename)
            if (sample.image, sample.edge) != (result.resized, result.edges):
                yield f"{key}: {sample.filename!r} is not what a quiet run packs"
    yield from _check_index(files, samples)


def _check_index(files: Mapping[str, bytes], samples: Mapping[str, list[Sample]]) -> Iterator[str]:
    index = index_of(files)
    for key, shard in index.shards.items():
        if key not in files or (shard.bytes, shard.sha256) != (len(files[key]), sha256(files[key])):
            yield f"{key} is not as the index has it"
    for name, entry in index.entries.items():
        if entry.place is None:
            continue
        found = samples.get(entry.place.shard, [])
        place = entry.place.position
        if place >= len(found) or found[place].filename != name:
            yield f"{name!r} is not where the index has it"


def check_places(files: Mapping[str, bytes], expected: Expected) -> Iterator[str]:
    """Every good picture has a sample that counts."""
    entries = index_of(files).entries
    for name in expected.good_names:
        if name not in entries or entries[name].place is None:
            yield f"{name!r} has no sample"


def check_quiet(
    files: Mapping[str, bytes], run_id: str, expected: Expected, place: BucketPlace, log: Path
) -> Iterator[str]:
    """Where nothing has failed, shards are those of a run that nobody disturbs, in `place`."""
    prefix = f"{keys.run_folder(run_id)}shards/"
    rows = [row for stage in stages_of(Recipe()) for row in rows_of(files, run_id, stage).values()]
    failed = {row.key for row in rows if row.status is Status.FAILED}
    has_edges = {row.key for row in rows_of(files, run_id, Stage.EDGE).values()}
    for key, body in files.items():
        if not key.startswith(prefix):
            continue
        shard = Shard.decode(body)
        names = {item.key for item in shard.objects}
        if names & failed or not names <= has_edges:
            continue
        place.clear()
        quiet = quiet_dataset(shard, expected.pictures, place, log)
        for name, content in quiet.items():
            if files.get(name) != content:
                yield f"{name} is not what a quiet run packs"
