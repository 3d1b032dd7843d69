from __future__ import annotations

import ast
import hashlib
import json
from typing import Any

import pytest
import yaml

from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import ImageFormat, Output, Recipe
from imagemill_dataset.files.card import card_of, last_packed_run
from imagemill_dataset.files.loaders import loaders_of
from imagemill_dataset.files.readme import readme_of
from imagemill_dataset.index import Entry, Index, IndexedRun, Place
from imagemill_dataset.shards import DatasetShard, PixelSums

RECIPE = Recipe(
    output=Output.WEBDATASET, label_from_folder=True, split=(("test", 0.5), ("train", 0.5))
)


def run_at(minute: int, recipe: Recipe = RECIPE) -> IndexedRun:
    started = f"2026-11-23T10:{minute:02}:00Z"
    return IndexedRun(f"run-{minute}", started, "s3://input/full/", recipe.to_document())


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


def card(index: Index = INDEX, labels: dict[str, int] = LABELS) -> dict[str, Any]:
    return card_of(index, RUN, labels)


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
    assert last_packed_run(Index(INDEX.entries | entries, INDEX.shards), files) == later
    assert last_packed_run(Index(), otherwise=later) == later


def test_card_of_nothing_is_a_card() -> None:
    found = card(Index(), {})
    assert (found["samples"], found["shards"], found["splits"]) == (0, [], {})
    assert found["pixels"] == {"mean": [], "std": [], "pixels": 0, "splits": {}}
    assert readme_of(found).startswith("---\n")


def front_matter(readme: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(readme.split("---\n")[1])
    return found


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
