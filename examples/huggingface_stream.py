"""Samples streamed by Hugging Face `datasets`: python huggingface_stream.py ADDRESS.

ADDRESS is OUT/dataset, or s3://bucket/dataset with `s3fs` installed; AWS_ENDPOINT_URL may name
another S3, such as that of `imagemill up`. The dataset has WebDataset or Parquet shards.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter

import fsspec
from datasets import load_dataset

BUILDERS = {".tar": "webdataset", ".parquet": "parquet"}


def accept_block_size() -> None:
    """Let s3fs ignore the block size that `datasets` 5.2 opens tar files with."""
    import s3fs

    class S3FileSystem(s3fs.S3FileSystem):
        def __init__(self, *args, block_size=None, **options):
            super().__init__(*args, **options)

    fsspec.register_implementation("s3", S3FileSystem, clobber=True)


def stream(address: str, split: str):
    """The samples of a split, in shuffled order."""
    if address.startswith("s3://"):
        accept_block_size()
    with fsspec.open(f"{address}/dataset.json", encoding="utf-8", mode="r") as file:
        card = json.load(file)
    names = [row["key"].rpartition("/")[2] for row in card["shards"] if row["split"] == split]
    builder = next(kind for end, kind in BUILDERS.items() if names[0].endswith(end))
    files = {split: [f"{address}/{name}" for name in names]}
    samples = load_dataset(builder, data_files=files, split=split, streaming=True)
    return samples.shuffle(seed=0, buffer_size=1000)


def main() -> None:
    labels: Counter[int] = Counter()
    began = time.perf_counter()
    for sample in stream(sys.argv[1].rstrip("/"), "train"):
        image = sample["jpg"] if "jpg" in sample else sample["image"]
        assert image.size[0] > 0  # your training step goes here
        labels[sample["cls"] if "cls" in sample else sample["label"]] += 1
    rate = labels.total() / (time.perf_counter() - began)
    print(
        f"{labels.total()} samples, {rate:.0f} per second, by class {dict(sorted(labels.items()))}"
    )


if __name__ == "__main__":
    main()
