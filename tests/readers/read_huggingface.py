"""`read_huggingface.py KIND FOLDER`: samples as Hugging Face `datasets` gives them.

KIND is `webdataset`, `parquet` or `card`: the folder by its README.md. One line of JSON for each
sample; see `test_readers.py` for the fields. KIND `index` prints the rows of a folder whose README
has nothing else for `datasets`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from datasets import ClassLabel, DatasetDict, load_dataset
from PIL import Image

SPLITS = ("train", "validation")


def loaded(kind: str, folder: Path) -> DatasetDict:
    if kind == "card":
        return load_dataset(str(folder))
    extension = {"webdataset": "tar", "parquet": "parquet"}[kind]
    files = {split: sorted(map(str, folder.glob(f"*-{split}-*.{extension}"))) for split in SPLITS}
    return load_dataset(kind, data_files=files)


def row_of(split: str, sample: dict[str, Any]) -> dict[str, object]:
    """By the columns of either form."""
    if "jpg" in sample:
        image, edge, about = sample["jpg"], sample["edge.png"], sample["json"]
        key, label = sample["__key__"], sample["cls"]
        small, small_edge = sample["48.jpg"], sample["48.edge.png"]
    else:
        image, edge, about = sample["image"], sample["edge"], sample
        key, label = sample["key"], sample["label"]
        small, small_edge = sample["image_48"], sample["edge_48"]
    assert isinstance(image, Image.Image)
    assert isinstance(edge, Image.Image)
    pixels, edge_pixels = np.asarray(image), np.asarray(edge)
    return {
        "key": key,
        "split": split,
        "filename": about["filename"],
        "label": label,
        "label_text": about["label_text"],
        "shape": pixels.shape,
        "edge_shape": edge_pixels.shape,
        "sha256": about["sha256"],
        "pixels_sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "edge_pixels_sha256": hashlib.sha256(edge_pixels.tobytes()).hexdigest(),
        "small_pixels_sha256": hashlib.sha256(np.asarray(small).tobytes()).hexdigest(),
        "small_edge_pixels_sha256": hashlib.sha256(np.asarray(small_edge).tobytes()).hexdigest(),
        "caption": about["caption"],
        "year": about["year"],
    }


if sys.argv[1] == "index":
    for row in load_dataset(sys.argv[2], split="train"):
        sys.stdout.write(json.dumps(row) + "\n")
    sys.exit()
for name, samples in loaded(sys.argv[1], Path(sys.argv[2])).items():
    for item in samples:
        row = row_of(str(name), item)
        feature = samples.features["cls" if "cls" in item else "label"]
        if isinstance(feature, ClassLabel):
            row["class"] = feature.int2str(row["label"])
        sys.stdout.write(json.dumps(row) + "\n")
