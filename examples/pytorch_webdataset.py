"""Batches of WebDataset shards for PyTorch: python pytorch_webdataset.py OUT/dataset [WORKERS]."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
import webdataset as wds

BATCH = 64
FORMATS = ["jpg", "png", "webp", "avif"]


def tensors(sample):
    """Picture (3, H, W) and edge map (1, H, W), both 0 to 1, and the number of the class."""
    image = np.array(sample["image"].convert("RGB"), np.float32) / 255
    edge = np.array(sample["edge"].convert("L"), np.float32) / 255
    return torch.from_numpy(image).permute(2, 0, 1), torch.from_numpy(edge)[None], sample["label"]


def batches(folder: Path, split: str, workers: int):
    """A loader of batches. Shards are shared out among the workers, and shuffled."""
    card = json.loads((folder / "dataset.json").read_text("utf-8"))
    files = [
        str(folder / Path(shard["key"]).name)
        for shard in card["shards"]
        if shard["split"] == split and shard["key"].endswith(".tar")
    ]
    dataset = (
        # a worker beyond the number of shards has none
        wds.WebDataset(files, shardshuffle=len(files), empty_check=False)
        .shuffle(1000)
        .decode(wds.imagehandler("pil", FORMATS))
        .rename(image=";".join(FORMATS), edge="edge.png", label="cls")
        .map(tensors)
        .batched(BATCH)
    )
    return wds.WebLoader(dataset, batch_size=None, num_workers=workers)


def main() -> None:
    folder, workers = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2
    labels: Counter[int] = Counter()
    began = time.perf_counter()
    for images, edges, classes in batches(folder, "train", workers):
        assert images.shape[1] == 3 and edges.shape[1] == 1  # your training step goes here
        labels.update(classes.tolist())
    rate = labels.total() / (time.perf_counter() - began)
    print(
        f"{labels.total()} samples, {rate:.0f} per second, by class {dict(sorted(labels.items()))}"
    )


if __name__ == "__main__":
    main()
