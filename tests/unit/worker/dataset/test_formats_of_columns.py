"""Columns and smaller sizes in each form: read as written, and no larger than reckoned."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from typing import Any

import pytest

from imagemill_contract.recipe import Output, Recipe
from imagemill_contract.recipe_parts.columns import ColumnType, Value
from imagemill_dataset.shard_sizes import end_bytes, packed_bytes
from imagemill_worker.dataset.formats.registry import FORMATS, dataset_format
from imagemill_worker.dataset.formats.samples import Sample
from tests.helpers.dataset_samples import noise, sample, samples_in, shard

every_format = pytest.mark.parametrize("name", FORMATS)

COLUMNS = (
    ("caption", ColumnType.TEXT),
    ("score", ColumnType.FLOAT),
    ("seen", ColumnType.BOOL),
    ("year", ColumnType.INT),
)
FULL: dict[str, Value] = {
    "caption": 'Kätzchen \n"grau"',
    "score": 0.5,
    "seen": True,
    "year": -(2**62),
}
EMPTY: dict[str, Value] = dict.fromkeys(FULL)


@every_format
def test_columns_are_read_as_they_were_written(name: str) -> None:
    written = [sample("a", b"1", columns=FULL), sample("b", b"2", columns=EMPTY)]
    file = io.BytesIO()
    dataset_format(name).write(file, written, 100, COLUMNS)
    full, empty = samples_in(name, file.getvalue())
    assert dict(full.columns) == FULL
    assert {key: empty.columns.get(key) for key in FULL} == EMPTY
    again = io.BytesIO()
    dataset_format(name).write(again, [full, empty], 100, COLUMNS)
    assert again.getvalue() == file.getvalue()


@every_format
def test_sample_with_columns_takes_no_more_than_is_reckoned(name: str) -> None:
    recipe = Recipe(output=Output(name), columns=COLUMNS)
    for text in ("", "k" * 3000, '"' * 2000, "ä" * 1500):
        columns: dict[str, Value] = {**FULL, "caption": text}
        one = sample("a", b"1" * 100, filename="a", columns=columns)
        file = io.BytesIO()
        dataset_format(name).write(file, [one], 200, COLUMNS)
        most = packed_bytes(recipe, 1, 100, len(one.edge), tuple(columns.values()))
        assert len(file.getvalue()) <= most + end_bytes(recipe.output)


SIZED = Recipe.from_document({"sizes": [16, 64, 128], "output": "parquet"})


def sized(key: str, seed: int, **more: Any) -> Sample:
    files = {name: noise(seed + n, 700) for n, (name, _) in enumerate(SIZED.sample_columns)}
    return sample(key, noise(seed, 900), columns=files, **more)


@every_format
def test_smaller_sizes_are_read_as_they_were_written(name: str) -> None:
    written = [sized("a/b", 1), sample("c", b"2"), sized("d", 3, image_format="png")]
    file = io.BytesIO()
    dataset_format(name).write(file, written, 100, SIZED.sample_columns)
    found = samples_in(name, file.getvalue())
    for one, other in zip(found, written, strict=True):
        assert {key: it for key, it in one.columns.items() if it is not None} == other.columns
        assert one == replace(other, columns=one.columns)
    again = io.BytesIO()
    dataset_format(name).write(again, found, 100, SIZED.sample_columns)
    assert again.getvalue() == file.getvalue()


def test_sizes_have_files_of_their_own_under_the_key_of_their_sample() -> None:
    with tarfile.open(fileobj=io.BytesIO(shard("webdataset", [sized("a/b", 1)]))) as tar:
        assert tar.getnames() == [
            *("a/b.jpg", "a/b.edge.png", "a/b.json"),
            *("a/b.16.jpg", "a/b.16.edge.png", "a/b.64.jpg", "a/b.64.edge.png"),
        ]


@every_format
def test_sample_with_sizes_takes_no_more_than_is_reckoned(name: str) -> None:
    recipe = replace(SIZED, output=Output(name))
    for key in ("a", "k" * 200):
        one = sized(key, 1, filename=key)
        file = io.BytesIO()
        dataset_format(name).write(file, [one], 4000, recipe.sample_columns)
        most = packed_bytes(recipe, len(key), len(one.image), len(one.edge), (), 4 * 700)
        assert len(file.getvalue()) <= most + end_bytes(recipe.output)
