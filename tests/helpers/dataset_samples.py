"""Samples of dataset shards, and shards of samples."""

from __future__ import annotations

import io
from hashlib import sha256
from typing import Any

from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import Sample


def sample(key: str, image: bytes, **more: Any) -> Sample:
    given_ones: dict[str, Any] = {
        "filename": f"Bücher/{key}.jpeg",
        "image_format": "jpg",
        "edge": b"edge of " + image[:8],
        "width": 128,
        "height": 96,
    }
    return Sample(key=key, image=image, sha256=sha256(image).hexdigest(), **given_ones | more)


def labelled(count: int, image_bytes: int = 3000) -> list[Sample]:
    """Of random images that are the same ones every time."""
    return [
        sample(
            f"train/{index:04d}", noise(index, image_bytes), label=index % 3, label_text="Kätzchen"
        )
        for index in range(count)
    ]


def noise(seed: int, count: int) -> bytes:
    blocks = (sha256(b"%d %d" % (seed, part)).digest() for part in range(-(-count // 32)))
    return b"".join(blocks)[:count]


def shard(name: str, samples: list[Sample]) -> bytes:
    file = io.BytesIO()
    dataset_format(name).write(file, samples)
    return file.getvalue()


def samples_in(name: str, body: bytes) -> list[Sample]:
    return list(dataset_format(name).read(io.BytesIO(body)))
