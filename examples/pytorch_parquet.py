"""Batches of Parquet shards for PyTorch: python pytorch_parquet.py OUT/dataset [WORKERS]."""

from __future__ import annotations

import sys
import time
from collections import Counter

import torch
from datasets import load_dataset

BATCH = 64


def batches(folder: str, split: str, workers: int):
    """A loader of batches in random order: any sample can be fetched by its place."""
    dataset = load_dataset(folder, split=split)
    dataset = dataset.select_columns(["image", "edge", "label"]).with_format("torch")
    return torch.utils.data.DataLoader(dataset, batch_size=BATCH, shuffle=True, num_workers=workers)


def main() -> None:
    folder, workers = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2
    labels: Counter[int] = Counter()
    began = time.perf_counter()
    for batch in batches(folder, "train", workers):
        images, edges = batch["image"] / 255, batch["edge"] / 255
        assert images.shape[1] == 3 and edges.shape[1] == 1  # your training step goes here
        labels.update(batch["label"].tolist())
    rate = labels.total() / (time.perf_counter() - began)
    print(
        f"{labels.total()} samples, {rate:.0f} per second, by class {dict(sorted(labels.items()))}"
    )


if __name__ == "__main__":
    main()
