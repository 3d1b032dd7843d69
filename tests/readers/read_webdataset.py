"""`read_webdataset.py FOLDER`: samples of the tar shards, as the `webdataset` library gives them.

One line of JSON each; see `test_readers.py` for the fields.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np
import webdataset
from PIL import Image

for shard in sorted(Path(sys.argv[1]).glob("*.tar")):
    samples = webdataset.WebDataset(str(shard), shardshuffle=False).decode()
    for position, sample in enumerate(samples):
        body, about = sample["jpg"], sample["json"]
        assert sample["txt"] == about["caption"]
        image = np.asarray(Image.open(io.BytesIO(body)))
        edge = np.asarray(Image.open(io.BytesIO(sample["edge.png"])))
        small, small_edge = (
            np.asarray(Image.open(io.BytesIO(sample[name]))) for name in ("48.jpg", "48.edge.png")
        )
        row = {
            "key": sample["__key__"],
            "split": shard.name.split("-")[1],
            "place": [shard.name, position],
            "filename": about["filename"],
            "label": sample["cls"],
            "label_text": about["label_text"],
            "shape": image.shape,
            "edge_shape": edge.shape,
            "sha256": hashlib.sha256(body).hexdigest(),
            "pixels_sha256": hashlib.sha256(image.tobytes()).hexdigest(),
            "edge_pixels_sha256": hashlib.sha256(edge.tobytes()).hexdigest(),
            "small_pixels_sha256": hashlib.sha256(small.tobytes()).hexdigest(),
            "small_edge_pixels_sha256": hashlib.sha256(small_edge.tobytes()).hexdigest(),
            "caption": about["caption"],
            "year": about["year"],
        }
        sys.stdout.write(json.dumps(row) + "\n")
