"""What is read back of a dataset shard is proven to be what was to be written."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from imagemill_contract.locations import Location
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset.names import EXTENSIONS
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import DamagedShardError, Sample
from imagemill_worker.dataset.proof import check_shard, prove
from imagemill_worker.errors import TryAgainError
from imagemill_worker.picture.edges import edge_map, encoded_edges
from imagemill_worker.stores.opening import open_store
from imagemill_worker.stores.store import Store
from tests.helpers.pictures import jpeg

COUNT = 4
FORMATS = list(EXTENSIONS)


def sample(number: int) -> Sample:
    picture = jpeg(60 + number, 40)
    edge = encoded_edges(edge_map(picture, Recipe()))
    digest = sha256(picture).hexdigest()
    return Sample(f"{number}", f"{number}.jpg", picture, "jpg", edge, 60 + number, 40, digest)


SAMPLES = [sample(number) for number in range(COUNT)]
DIGESTS = [one.sha256 for one in SAMPLES]


def shard_of(output: Output, samples: list[Sample] = SAMPLES) -> tuple[DatasetShard, bytes]:
    """A dataset shard with its file."""
    file = io.BytesIO()
    dataset_format(output).write(file, samples)
    body = file.getvalue()
    key = f"dataset/images-train-0a1b2c3d-00000-0000{EXTENSIONS[output]}"
    digest = sha256(body).hexdigest()
    return DatasetShard(key, "train", len(samples), len(body), digest, PixelSums()), body


@pytest.fixture
def store(tmp_path: Path) -> Store:
    location = Location.of_folder(PurePosixPath(tmp_path))
    return open_store(location, {"ALLOW_FILE_URIS": "true"})


@pytest.mark.parametrize("output", FORMATS)
def test_whole_shard_is_proven(store: Store, output: Output) -> None:
    shard, body = shard_of(output)
    store.write_file("below/" + shard.key, io.BytesIO(body))
    prove(store, "below/", shard, DIGESTS)
    check_shard(io.BytesIO(body), shard, {})


def cut(body: bytes) -> bytes:
    return body[:-1]


def flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("damage", [cut, flipped])
def test_shard_that_was_read_back_damaged_asks_for_another_attempt(
    store: Store, output: Output, damage: Callable[[bytes], bytes]
) -> None:
    shard, body = shard_of(output)
    store.write_file(shard.key, io.BytesIO(damage(body)))
    with pytest.raises(TryAgainError, match=f"{shard.key} was read back damaged"):
        prove(store, "", shard, DIGESTS)


@pytest.mark.parametrize("output", FORMATS)
def test_other_samples_than_were_to_be_written_are_no_proof(output: Output) -> None:
    shard, body = shard_of(output)
    exchanged = dict(enumerate([DIGESTS[1], DIGESTS[0], *DIGESTS[2:]]))
    with pytest.raises(DamagedShardError, match="Sample 0 is not the one"):
        check_shard(io.BytesIO(body), shard, exchanged)


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("samples", [COUNT - 1, COUNT + 1])
def test_samples_are_counted(output: Output, samples: int) -> None:
    shard, body = shard_of(output)
    with pytest.raises(DamagedShardError, match=f"{COUNT} samples instead of {samples}"):
        check_shard(io.BytesIO(body), replace(shard, samples=samples), {})


def test_pillow_has_no_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    shard, body = shard_of(Output.WEBDATASET)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    check_shard(io.BytesIO(body), shard, {})


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize(
    ("changes", "what"),
    [({"edge": b"no PNG"}, "edge map"), ({"width": 99}, "picture"), ({"height": 1}, "picture")],
)
def test_first_sample_is_decoded_to_its_size(
    output: Output, changes: dict[str, object], what: str
) -> None:
    first = replace(SAMPLES[0], **changes)  # type: ignore[arg-type] # its fields
    shard, body = shard_of(output, [first, *SAMPLES[1:]])
    with pytest.raises(DamagedShardError, match=f"The {what} of '0' does not decode"):
        check_shard(io.BytesIO(body), shard, {})
