from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from imagemill_contract.keys import DATASET_CARD, DATASET_CROISSANT, INDEX_TABLE
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import ImageFormat, ModelOutput, Output, Recipe
from imagemill_contract.recipe_parts.labels import Labels
from imagemill_dataset.files.card import card_of
from imagemill_dataset.files.croissant import IndexTable
from imagemill_dataset.files.dataset_files import dataset_files
from imagemill_dataset.files.holdings import Holdings
from imagemill_dataset.files.loaders import loaders_of
from imagemill_dataset.files.readme import readme_of
from imagemill_dataset.index import Entry, Index, IndexedRun, Place
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_dataset.tables.index_table import index_table

RECIPE = Recipe(
    output=Output.WEBDATASET, label_from_folder=True, split=(("test", 0.5), ("train", 0.5))
)


def run_at(minute: int, recipe: Recipe = RECIPE) -> IndexedRun:
    started = f"2026-11-23T10:{minute:02}:00Z"
    tool = "imagemill 0.1.0 (0a1b2c3d4e5f)"
    return IndexedRun(f"run-{minute}", started, "s3://input/full/", recipe.to_document(), tool)


RUN = run_at(1)


def shard(number: int, samples: int, split: str, value: int = 51) -> DatasetShard:
    sums = PixelSums(100, (100 * value, 0, 25500), (100 * value**2, 0, 100 * 255**2))
    key = f"dataset/images-{split}-0a1b2c3d-{number:05}-0000.tar"
    return DatasetShard(key, split, samples, 1000 + number, f"{number:064x}", sums)


def sample(of: DatasetShard, position: int, label: int, run: IndexedRun = RUN) -> Entry:
    return Entry("e", None, run, place=Place(of.key, position, 8, 8, 9, 3, "ab" * 32, label))


TRAIN, TEST, OLD, DEAD = (
    shard(3, 2, "train"),
    shard(2, 1, "test", value=153),
    shard(1, 2, "train"),
    shard(0, 4, "train"),
)
LABELS = {"cats": 0, "owls": 1, "dogs": 2}
INDEX = Index(
    {
        "cats/a": sample(TRAIN, 0, 0),
        "cats/b": sample(TRAIN, 1, 0),
        "dogs/c": sample(TEST, 0, 2),
        "dogs/d": sample(OLD, 1, 2),
        "dogs/e": Entry("e", Reason.TRUNCATED, RUN),
    },
    {item.key: item for item in (TRAIN, TEST, OLD, DEAD)},
)
LISTED = [OLD, TEST, TRAIN]


TABLES = [IndexTable(f"{INDEX_TABLE}/{name}.parquet", 10, name * 64) for name in "ab"]


def held(index: Index = INDEX) -> Holdings:
    return Holdings.of_entries(index.entries.values(), index.shards)


def card(index: Index = INDEX, labels: dict[str, int] = LABELS) -> dict[str, Any]:
    return card_of(held(index), RUN, labels)


def test_card_counts_the_samples_that_count() -> None:
    found = card()
    assert (found["v"], found["name"], found["format"]) == (1, "images", "webdataset")
    assert (found["samples"], found["bytes"]) == (4, 3006)
    assert found["splits"] == {
        "test": {"samples": 1, "shards": 1, "bytes": 1002},
        "train": {"samples": 3, "shards": 2, "bytes": 2004},
    }
    assert found["superseded"] == {"samples": 5, "shards": 2}
    assert found["sources"] == ["s3://input/full/"]
    assert Recipe.from_document(found["recipe"]) == RECIPE


def test_card_lists_shards_with_a_sample_that_counts_in_key_order() -> None:
    rows = card()["shards"]
    assert [row["key"] for row in rows] == [TEST.key, OLD.key, TRAIN.key]
    assert rows[1] == {
        "key": OLD.key,
        "split": "train",
        "samples": 2,
        "bytes": 1001,
        "sha256": OLD.sha256,
        "superseded": 1,
    }


def test_card_names_all_classes_with_their_numbers_and_samples() -> None:
    assert card()["classes"] == {
        "cats": {"label": 0, "samples": {"train": 2}},
        "owls": {"label": 1, "samples": {}},
        "dogs": {"label": 2, "samples": {"test": 1, "train": 1}},
    }
    assert "classes" not in card(labels={})


def test_card_has_mean_and_deviation_of_all_pixels_and_of_each_split() -> None:
    pixels = card()["pixels"]
    assert pixels["pixels"] == 300
    assert pixels["mean"] == pytest.approx([1 / 3, 0, 1])
    assert pixels["std"] == pytest.approx([(2 / 9) ** 0.5 * 0.4, 0, 0])
    assert pixels["splits"]["test"] == {"mean": [0.6, 0, 1], "std": [0, 0, 0], "pixels": 100}


def test_hash_of_the_dataset_is_that_of_its_listed_shards() -> None:
    lines = "".join(sorted(f"{item.key} {item.sha256}\n" for item in LISTED))
    assert card()["sha256"] == hashlib.sha256(lines.encode()).hexdigest()


def test_same_data_gives_the_same_card() -> None:
    other = Index(
        dict(reversed(INDEX.entries.items())),
        dict(reversed(INDEX.shards.items())),
        ["index/merged"],
    )
    assert json.dumps(card(other)) == json.dumps(card())
    assert "2026" not in json.dumps(card())


def test_recipe_is_that_of_the_run_that_packed_last() -> None:
    later, files = run_at(3, Recipe(output=Output.PARQUET)), run_at(4, Recipe())
    entries = {"x": sample(TRAIN, 0, 0, later), "y": Entry("e", None, files)}
    assert held(Index(INDEX.entries | entries, INDEX.shards)).sums.last == later
    found = json.loads(dataset_files(held(Index()), [], {}, otherwise=later)[DATASET_CARD])
    assert found["format"] == "parquet"


def test_card_of_nothing_is_a_card() -> None:
    found = card(Index(), {})
    assert (found["samples"], found["shards"], found["splits"]) == (0, [], {})
    assert found["pixels"] == {"mean": [], "std": [], "pixels": 0, "splits": {}}
    assert readme_of(found).startswith("---\n")


def front_matter(readme: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(readme.split("---\n")[1])
    return found


def test_front_matter_says_how_many_samples_a_reader_finds_and_what_they_are() -> None:
    info = front_matter(readme_of(card()))["dataset_info"]
    # also those that are superseded: `datasets` compares the number with what it reads
    assert info["splits"] == [
        {"name": "test", "num_bytes": 1002, "num_examples": 1},
        {"name": "train", "num_bytes": 2004, "num_examples": 4},
    ]
    assert info["download_size"] == info["dataset_size"] == 3006
    features = {feature["name"]: feature for feature in info["features"]}
    assert list(features) == ["jpg", "edge.png", "json", "cls", "__key__", "__url__"]
    names = {"0": "cats", "1": "owls", "2": "dogs"}
    assert features["cls"]["dtype"] == {"class_label": {"names": names}}


NUMBERS = {"sequence": "float64"}
STRUCT = {"struct": [{"name": "cat", "dtype": "float64"}, {"name": "a dog", "dtype": "float64"}]}


@pytest.mark.parametrize(
    ("output", "kind", "labels", "wanted"),
    [
        (Output.PARQUET, "vector", (), {"vector": {"sequence": "float16"}}),
        (Output.PARQUET, "image", (), {"model": {"dtype": "image"}}),
        (
            Output.PARQUET,
            "scores",
            ("cat", "a dog"),
            {"predicted": {"dtype": "string"}, "score": {"dtype": "float64"}, "scores": NUMBERS},
        ),
        (Output.WEBDATASET, "vector", (), {"npy": {"sequence": "float16"}}),
        (Output.WEBDATASET, "image", (), {"model.png": {"dtype": "image"}}),
        (Output.WEBDATASET, "scores", (), {"scores": NUMBERS}),
        (Output.WEBDATASET, "scores", ("cat", "a dog"), {"scores": STRUCT}),
    ],
)
def test_front_matter_names_what_a_model_gives(
    output: Output, kind: str, labels: tuple[str, ...], wanted: dict[str, object]
) -> None:
    recipe = replace(
        RECIPE,
        output=output,
        model="s3://input/model.onnx",
        model_output=ModelOutput(kind),
        model_labels=Labels(labels),
        model_sha256="ab" * 32,
    )
    readme = readme_of({**card(), "recipe": recipe.to_document(), "format": str(output)})
    features = front_matter(readme)["dataset_info"]["features"]
    known = {item["name"]: item for item in features}
    known |= {item["name"]: item for item in known.get("json", {}).get("struct", ())}
    for name, feature in wanted.items():
        assert known[name] == {"name": name, **feature}  # type: ignore[dict-item] # a feature
    assert f"The model's SHA-256 is `{'ab' * 32}`" in readme
    assert ("for `cat`, `a dog` (`model_labels`" in readme) == bool(labels)
    assert not {"vector", "scores", "npy", "model.png"} & (known.keys() - wanted.keys())


@pytest.mark.parametrize(
    ("samples", "size"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**10, "1B<n<10B")],
)
def test_front_matter_has_the_size_category_of_the_hub(samples: int, size: str) -> None:
    found = front_matter(readme_of(card() | {"samples": samples}))
    assert found["size_categories"] == [size]


def test_front_matter_of_tfrecord_names_no_file_that_datasets_cannot_read() -> None:
    run = run_at(1, replace(RECIPE, output=Output.TFRECORD))
    found = front_matter(readme_of(card_of(held(), run, LABELS)))
    assert found["configs"] == [{"config_name": "index", "data_files": "index.parquet/*.parquet"}]
    assert "dataset_info" not in found


def test_about_json_is_what_the_front_matter_and_the_readme_say() -> None:
    said = {"license": "cc0-1.0", "tags": ["birds"], "description": "Birds.", "pretty_name": "B"}
    text = readme_of(card() | {"about": said})
    found = front_matter(text)
    assert (found["license"], found["tags"], found["pretty_name"]) == ("cc0-1.0", ["birds"], "B")
    assert "# B\n\nBirds.\n" in text
    assert front_matter(readme_of(card()))["license"] == "unknown"
    problem = "about.json: 1 is not an object of fields."
    assert f"**{problem}**" in readme_of(card() | {"about": {"problem": problem}})


def test_readme_says_where_the_pictures_are_from_and_what_has_made_the_dataset() -> None:
    text = readme_of(card())
    assert "| source | `s3://input/full/` |" in text
    assert f"| recipe | `{RECIPE.digest}`: `split` `" in text
    assert "| made by | imagemill 0.1.0 (0a1b2c3d4e5f) |" in text


def test_card_and_index_name_a_folder_but_not_its_path() -> None:
    model = {"model": "file:///home/somebody/my%20model.onnx", "model_sha256": "ab" * 32}
    recipe = {**RUN.recipe, **model}
    run = replace(RUN, source="file:///home/somebody/PHOTOS", recipe=recipe)
    index = Index({"cats/a": sample(TRAIN, 0, 0, run)}, {TRAIN.key: TRAIN})
    files = dataset_files(held(index), TABLES, LABELS, otherwise=run)
    files[INDEX_TABLE] = index_table(index.entries.items(), index.shards)
    assert all(b"somebody" not in body for body in files.values())
    found = json.loads(files[DATASET_CARD])
    assert found["sources"] == ["PHOTOS/"]
    assert found["recipe"] == {**recipe, "model": "file:///my%20model.onnx"}


def test_croissant_names_every_listed_file_with_its_checksum() -> None:
    files = dataset_files(held(), TABLES, LABELS, otherwise=RUN)
    found = json.loads(files[DATASET_CROISSANT])
    rows = {row["contentUrl"]: row for row in found["distribution"] if "contentUrl" in row}
    assert {name: row["sha256"] for name, row in rows.items()} == {
        **{table.key.removeprefix("dataset/"): table.sha256 for table in TABLES},
        **{item.key.removeprefix("dataset/"): item.sha256 for item in LISTED},
    }
    names = {row["classes/name"] for row in found["recordSet"][1]["data"]}
    assert names == set(LABELS)


def test_readme_names_each_file() -> None:
    (config,) = front_matter(readme_of(card()))["configs"]
    assert config == {
        "config_name": "default",
        "data_files": [
            {"split": "test", "path": [TEST.key.removeprefix("dataset/")]},
            {
                "split": "train",
                "path": [item.key.removeprefix("dataset/") for item in (OLD, TRAIN)],
            },
        ],
    }


def test_readme_has_the_counts_and_the_loaders_of_the_card() -> None:
    text = readme_of(card())
    assert "| train | 3 | 2 | 2,004 |" in text
    assert "The 3 classes are in `labels.txt`" in text
    assert "samples of a class lie together: shuffle them" in text
    shuffled = card_of(held(), run_at(1, replace(RECIPE, shuffle=True)), LABELS)
    assert "lie together" not in readme_of(shuffled)
    assert "These shards also hold superseded samples, which readers see, too: 1." in text
    for code in card()["loaders"].values():
        assert f"```python\n{code.rstrip()}\n```" in text


@pytest.mark.parametrize("image_format", ImageFormat)
@pytest.mark.parametrize("is_labelled", [True, False])
@pytest.mark.parametrize(
    ("output", "libraries"),
    [
        (Output.WEBDATASET, ["pytorch", "huggingface"]),
        (Output.TFRECORD, ["tensorflow"]),
        (Output.PARQUET, ["huggingface", "pytorch"]),
    ],
)
def test_loaders_are_python_that_begins_with_the_folder_and_makes_a_dataset(
    output: Output, libraries: list[str], is_labelled: bool, image_format: ImageFormat
) -> None:
    recipe = Recipe(output=output, label_from_folder=is_labelled, format=image_format)
    loaders = loaders_of(recipe, "train")
    assert list(loaders) == libraries
    for code in loaders.values():
        tree = ast.parse(code)
        assert code.startswith('folder = "dataset"\n')
        assert isinstance(tree.body[-1], ast.Assign)
        assert ast.unparse(tree.body[-1].targets[0]) == "dataset"
        assert "$" not in code
        assert "\n\n\n\n" not in code
    if output is not Output.PARQUET and "huggingface" not in libraries[0]:
        assert ("label" in loaders[libraries[0]]) == is_labelled
