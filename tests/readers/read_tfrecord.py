"""`read_tfrecord.py FOLDER`: samples of the TFRecord shards, as TensorFlow gives them.

One line of JSON each; see `test_readers.py` for the fields.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import tensorflow as tf

TEXT, NUMBER = tf.io.FixedLenFeature([], tf.string), tf.io.FixedLenFeature([], tf.int64)
TEXTS = (
    *("image/encoded", "image/filename", "image/key", "image/class/text", "edge/encoded"),
    *("image/48/encoded", "edge/48/encoded"),
)
FEATURES = dict.fromkeys(TEXTS, TEXT) | {
    "image/class/label": NUMBER,
    "caption": TEXT,
    "year": tf.io.FixedLenFeature([], tf.int64, default_value=0),
}


def parsed(record: tf.Tensor) -> dict[str, tf.Tensor]:
    sample: dict[str, tf.Tensor] = tf.io.parse_single_example(record, FEATURES)
    # as Pillow decodes, to the bit; TensorFlow's own choice is the faster transform
    sample["image"] = tf.io.decode_jpeg(sample["image/encoded"], dct_method="INTEGER_ACCURATE")
    sample["edge"] = tf.io.decode_png(sample["edge/encoded"])
    sample["small"] = tf.io.decode_jpeg(sample["image/48/encoded"], dct_method="INTEGER_ACCURATE")
    sample["small_edge"] = tf.io.decode_png(sample["edge/48/encoded"])
    return sample


for shard in sorted(Path(sys.argv[1]).glob("*.tfrecord")):
    samples = tf.data.TFRecordDataset(str(shard)).map(parsed).as_numpy_iterator()
    for position, sample in enumerate(samples):
        row = {
            "key": sample["image/key"].decode(),
            "split": shard.name.split("-")[1],
            "place": [shard.name, position],
            "filename": sample["image/filename"].decode(),
            "label": int(sample["image/class/label"]),
            "label_text": sample["image/class/text"].decode(),
            "shape": sample["image"].shape,
            "edge_shape": sample["edge"].shape[:2],  # TensorFlow has the channel, too
            "sha256": hashlib.sha256(sample["image/encoded"]).hexdigest(),
            "pixels_sha256": hashlib.sha256(sample["image"].tobytes()).hexdigest(),
            "edge_pixels_sha256": hashlib.sha256(sample["edge"].tobytes()).hexdigest(),
            "small_pixels_sha256": hashlib.sha256(sample["small"].tobytes()).hexdigest(),
            "small_edge_pixels_sha256": hashlib.sha256(sample["small_edge"].tobytes()).hexdigest(),
            "caption": sample["caption"].decode(),
            "year": int(sample["year"]) or None,
        }
        sys.stdout.write(json.dumps(row) + "\n")
