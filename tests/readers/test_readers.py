"""What `imagemill run` packs, read by the libraries that read such datasets.

Run by `make check-readers`, which gives each library an environment of its own. The same pictures
are also written as files, by which every sample is judged: same pixels, and the edge map is that of
its own picture.
"""

from __future__ import annotations

import hashlib
import io
import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imagemill_contract import keys
from imagemill_contract.documents import decode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset import names
from tests.helpers.readers import CLASSES, columns_of, printed_by, run

pytestmark = [pytest.mark.readers, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
# pictures of many shapes: a reader that takes width for height is found out
OF_PICTURES = {
    **{"sizes": [48, 96], "mode": "keep_ratio"},
    # what one call of OpenCV does, so that the edge maps can be computed here, too
    **{"blur": 0, "canny_low": 100, "canny_high": 200},
}
OF_DATASETS = {
    "split": {"train": 0.8, "validation": 0.2},
    "label_from_folder": True,
    "columns": {"caption": "text", "year": "int"},
}

PACKED = (Output.WEBDATASET, Output.TFRECORD, Output.PARQUET)
# Form, environment, script and its first argument: one for each way of reading.
READERS = {
    "webdataset": (Output.WEBDATASET, "webdataset", "read_webdataset.py"),
    "tensorflow": (Output.TFRECORD, "tensorflow", "read_tfrecord.py"),
    "datasets-tar": (Output.WEBDATASET, "huggingface", "read_huggingface.py", "webdataset"),
    "datasets-parquet": (Output.PARQUET, "huggingface", "read_huggingface.py", "parquet"),
    "datasets-tar-by-readme": (Output.WEBDATASET, "huggingface", "read_huggingface.py", "card"),
    "datasets-parquet-by-readme": (Output.PARQUET, "huggingface", "read_huggingface.py", "card"),
}
# The environment of each snippet in the card.
LOADERS = {
    (Output.WEBDATASET, "pytorch"): "webdataset",
    (Output.WEBDATASET, "huggingface"): "huggingface",
    (Output.TFRECORD, "tensorflow"): "tensorflow",
    (Output.PARQUET, "huggingface"): "huggingface",
    (Output.PARQUET, "pytorch"): "huggingface",
}
# Put after a snippet: size of the picture, size and pixels of the edge map of each element.
LOADER_END = """
import hashlib
import json

import numpy as np

def plane(picture):
    array = np.asarray(picture)
    if array.ndim == 2:
        return array
    return array[..., 0] if array.shape[-1] in (1, 3) else array[0]  # PyTorch: channels first

for sample in dataset:
    image = plane(sample["image"] if "image" in sample else sample["jpg"])
    edge = plane(sample["edge"] if "edge" in sample else sample["edge.png"])
    digest = hashlib.sha256(edge.tobytes()).hexdigest()
    names = ("image_48", "48.jpg", "edge_48", "48.edge.png")
    small = [plane(sample[name]).shape for name in names if name in sample]
    print(json.dumps([image.shape, edge.shape, digest, *small]))
"""

Row = dict[str, object]


@pytest.fixture(scope="module")
def outputs(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the output of each form, by its name."""
    base = tmp_path_factory.mktemp("outputs")
    run(photos, base / Output.FILES, OF_PICTURES)
    for output in PACKED:
        run(photos, base / output, {**OF_PICTURES, **OF_DATASETS, "output": output})
    return base


def outcomes_in(out: Path, stage: Stage) -> dict[str, Outcome]:
    """By the key below the source."""
    (run_folder,) = (path for path in (out / "runs").iterdir() if path.is_dir())
    paths = (run_folder / "outcomes" / stage).iterdir()
    return {row.key: row for path in paths for row in decode_outcomes(path.read_bytes())[1]}


def output_key(stage: Stage, relative: str) -> str:
    return keys.output_key(stage, relative, Recipe.from_document(OF_PICTURES))


def small_key(relative: str) -> str:
    return keys.output_keys(Stage.RESIZE, relative, Recipe.from_document(OF_PICTURES))[1]


def pixels_of(body: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(body)))


def edges_of(picture: bytes) -> NDArray[np.uint8]:
    grey = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    edges: NDArray[np.uint8] = cv2.Canny(grey, 100, 200)
    return edges


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@cache
def expected(outputs: Path, output: Output) -> dict[str, Row]:
    """What the samples have to be, by key: by files, outcomes and the rules of names."""
    out = outputs / output
    classes = (out / keys.LABELS_TEXT).read_text("utf-8").splitlines()
    split = Recipe.from_document({**OF_DATASETS, "output": output}).split
    resized, edges = outcomes_in(out, Stage.RESIZE), outcomes_in(out, Stage.EDGE)
    rows: dict[str, Row] = {}
    for relative, edge in edges.items():
        picture = (outputs / Output.FILES / output_key(Stage.RESIZE, relative)).read_bytes()
        small = (outputs / Output.FILES / small_key(relative)).read_bytes()
        edge_pixels, pixels = edges_of(picture), pixels_of(picture)
        assert resized[relative].sha256 == sha256(picture)
        assert (edge.height, edge.width) == edge_pixels.shape == pixels.shape[:2]
        assert edge.output_key is not None
        label_text = relative.partition("/")[0]
        rows[names.sample_key(relative)] = {
            "split": names.split_of(relative, split),
            "place": [edge.output_key.rpartition("/")[2], edge.position],
            "filename": relative,
            "label": classes.index(label_text),
            "label_text": label_text,
            "shape": list(pixels.shape),
            "edge_shape": list(edge_pixels.shape),
            "sha256": sha256(picture),
            "pixels_sha256": sha256(pixels.tobytes()),
            "edge_pixels_sha256": sha256(edge_pixels.tobytes()),
            "small_shape": list(edges_of(small).shape),
            "small_pixels_sha256": sha256(pixels_of(small).tobytes()),
            "small_edge_pixels_sha256": sha256(edges_of(small).tobytes()),
            **columns_of(relative),
        }
    return rows


def test_every_picture_is_a_sample_of_each_form(photos: Path, outputs: Path) -> None:
    files = (path for path in photos.rglob("*.*") if path.is_file() and path.suffix != ".json")
    paths = {path.relative_to(photos).as_posix() for path in files}
    for output in PACKED:
        samples = expected(outputs, output)
        assert {row["filename"] for row in samples.values()} == paths
        assert {row["split"] for row in samples.values()} == {"train", "validation"}
        assert {row["label_text"] for row in samples.values()} == set(CLASSES)
        card = json.loads((outputs / output / keys.DATASET_CARD).read_bytes())
        assert card["samples"] == len(samples) == len(paths)


@pytest.mark.parametrize("reader", READERS)
def test_reader_finds_every_sample_once_and_whole(
    reader: str, outputs: Path, tmp_path: Path
) -> None:
    output, environment, script, *arguments = READERS[reader]
    command = [HERE / script, *arguments, outputs / output / "dataset"]
    rows = [json.loads(line) for line in printed_by(environment, command, tmp_path, tmp_path)]
    samples = expected(outputs, Output(output))
    if arguments == ["card"]:
        classes = {row.pop("class") for row in rows if row["class"] == row["label_text"]}
        assert classes == set(CLASSES)
    assert sorted(row["key"] for row in rows) == sorted(samples)
    for row in rows:
        key = row.pop("key")
        assert row == {name: samples[key][name] for name in row}, key


def test_card_of_tfrecord_gives_datasets_the_table_of_all_pictures(
    outputs: Path, tmp_path: Path
) -> None:
    folder = outputs / Output.TFRECORD / "dataset"
    command = [HERE / "read_huggingface.py", "index", folder]
    lines = printed_by("huggingface", command, tmp_path, tmp_path)
    rows = {row["source_key"]: row for row in map(json.loads, lines)}
    samples = expected(outputs, Output.TFRECORD).values()
    assert len(lines) == len(rows) == len(samples)
    for sample in samples:
        row = rows[str(sample["filename"])]
        assert [row["shard"].rpartition("/")[2], row["position"]] == sample["place"]
        assert all(row[name] == sample[name] for name in ("split", "label", "sha256"))


@pytest.mark.parametrize("output", PACKED)
def test_croissant_is_valid_and_its_records_are_the_pictures_and_classes(
    output: Output, outputs: Path, tmp_path: Path
) -> None:
    folder = outputs / output / "dataset"
    command = [HERE / "read_croissant.py", folder, "index", "classes"]
    first, *rest = printed_by("croissant", command, tmp_path, tmp_path)
    issues = json.loads(first)
    assert issues["errors"] == []
    # what nobody has said in about.json, and a date would change with each run
    recommended = ("citeAs", "datePublished")
    assert all(any(name in text for name in recommended) for text in issues["warnings"])
    records = [json.loads(line) for line in rest]
    pictures = {row["source_key"]: row for row in records if "source_key" in row}
    classes = [row["name"] for row in records if "name" in row]
    assert classes == (folder / "labels.txt").read_text("utf-8").splitlines()
    for sample in expected(outputs, output).values():
        row = pictures.pop(str(sample["filename"]))
        assert all(row[name] == sample[name] for name in ("split", "label", "sha256"))
    assert pictures == {}


@pytest.mark.parametrize("output", PACKED)
def test_every_snippet_of_the_card_is_tried(output: Output, outputs: Path) -> None:
    card = json.loads((outputs / output / keys.DATASET_CARD).read_bytes())
    assert set(card["loaders"]) == {library for form, library in LOADERS if form is output}


@pytest.mark.parametrize(("output", "library"), LOADERS, ids=map("-".join, LOADERS))
def test_snippet_of_the_card_reads_its_split_as_it_is(
    output: Output, library: str, outputs: Path, tmp_path: Path
) -> None:
    out = outputs / output
    code = json.loads((out / keys.DATASET_CARD).read_bytes())["loaders"][library]
    printed = printed_by(LOADERS[output, library], ["-c", code + LOADER_END], out, tmp_path)
    found = [json.loads(line) for line in printed]
    samples = [row for row in expected(outputs, output).values() if row["split"] == "train"]
    wanted = [
        [row["edge_shape"], row["edge_shape"], row["edge_pixels_sha256"], *[row["small_shape"]] * 2]
        for row in samples
    ]
    assert sorted(found) == sorted(wanted)


@pytest.mark.parametrize("library", ["pytorch", "huggingface"])
def test_snippet_decodes_avif(library: str, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "avif"
    run(photos, out, {"size": 96, "output": Output.WEBDATASET, "format": "avif"})
    code = json.loads((out / keys.DATASET_CARD).read_bytes())["loaders"][library]
    end = LOADER_END.replace('sample["jpg"]', 'sample["avif"]')
    environment = LOADERS[Output.WEBDATASET, library]
    printed = printed_by(environment, ["-c", code + end], out, tmp_path)
    shapes = [json.loads(line)[:2] for line in printed]
    assert len(shapes) == len(outcomes_in(out, Stage.RESIZE))
    assert all(image == edge for image, edge in shapes)
