"""Batches of TFRecord shards for TensorFlow: python tensorflow_tfrecord.py OUT/dataset."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path

import tensorflow as tf

BATCH = 64
FEATURES = {
    "image/encoded": tf.io.FixedLenFeature([], tf.string),
    "edge/encoded": tf.io.FixedLenFeature([], tf.string),
    "image/class/label": tf.io.FixedLenFeature([], tf.int64),
}


def tensors(record):
    """Picture (H, W, 3) and edge map (H, W, 1), both 0 to 1, and the number of the class."""
    found = tf.io.parse_single_example(record, FEATURES)
    image = tf.io.decode_image(found["image/encoded"], channels=3, expand_animations=False)
    edge = tf.io.decode_png(found["edge/encoded"], channels=1)
    as_float = (tf.image.convert_image_dtype(part, tf.float32) for part in (image, edge))
    return (*as_float, found["image/class/label"])


def batches(folder: Path, split: str) -> tf.data.Dataset:
    """Batches. Shards are read side by side, and samples shuffled."""
    card = json.loads((folder / "dataset.json").read_text("utf-8"))
    files = [
        str(folder / Path(shard["key"]).name)
        for shard in card["shards"]
        if shard["split"] == split and shard["key"].endswith(".tfrecord")
    ]
    shards = tf.data.Dataset.from_tensor_slices(files).shuffle(len(files))
    records = shards.interleave(tf.data.TFRecordDataset, num_parallel_calls=tf.data.AUTOTUNE)
    samples = records.shuffle(1000).map(tensors, num_parallel_calls=tf.data.AUTOTUNE)
    return samples.batch(BATCH).prefetch(tf.data.AUTOTUNE)


def main() -> None:
    labels: Counter[int] = Counter()
    began = time.perf_counter()
    for images, edges, classes in batches(Path(sys.argv[1]), "train"):
        assert images.shape[-1] == 3 and edges.shape[-1] == 1  # your training step goes here
        labels.update(classes.numpy().tolist())
    rate = labels.total() / (time.perf_counter() - began)
    print(
        f"{labels.total()} samples, {rate:.0f} per second, by class {dict(sorted(labels.items()))}"
    )


if __name__ == "__main__":
    main()
