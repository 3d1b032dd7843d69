"""What a model gives, in each form: read as it was written, and no larger than reckoned."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from imagemill_contract.recipe import ModelOutput, Output, Recipe
from imagemill_contract.recipe_parts.columns import ColumnType
from imagemill_contract.recipe_parts.given import SampleValue
from imagemill_dataset.shard_sizes import end_bytes, packed_bytes
from imagemill_worker.dataset.formats.given import given_values
from imagemill_worker.dataset.formats.registry import FORMATS, dataset_format
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.formats.vector_file import npy_file
from tests.helpers.dataset_samples import sample, samples_in

every_format = pytest.mark.parametrize("name", FORMATS)
every_kind = pytest.mark.parametrize("kind", ModelOutput)

# Files as the model stage writes them: the first of each is an ordinary one.
BODIES = {
    ModelOutput.VECTOR: [
        npy_file(np.array(values, np.float16)) for values in ([0.1, -65504], [1 / 3] * 2048, [])
    ],
    ModelOutput.SCORES: [
        b'{"scores":{"zebra":0.25,"a dog":0.75},"predicted":"a dog"}',
        b'{"scores":[0.5],"score":0.5}',
        b'{"scores":[' + b",".join([b"0"] * 1000) + b"]}",
    ],
    ModelOutput.IMAGE: [b"a PNG file", b"1" * 3000],
}


def written(name: str, samples: list[Sample], recipe: Recipe) -> bytes:
    file = io.BytesIO()
    dataset_format(name).write(file, samples, 5000, recipe.sample_columns)
    return file.getvalue()


def recipe_for(name: str, kind: ModelOutput) -> Recipe:
    return Recipe(output=Output(name), model="s3://bucket/model.onnx", model_output=kind)


def as_read(name: str, values: dict[str, SampleValue]) -> dict[str, Any]:
    """Only JSON has labels beside scores, and says that there is none."""
    found: dict[str, Any] = dict(values)
    if name != "webdataset" and isinstance(found.get("scores"), dict):
        found["scores"] = [*found["scores"].values()]
    return {key: it for key, it in found.items() if it is not None or name != "tfrecord"}


@every_format
@every_kind
def test_what_a_model_gives_is_read_as_it_was_written(name: str, kind: ModelOutput) -> None:
    recipe = recipe_for(name, kind)
    given = [given_values(kind, body) for body in BODIES[kind]]
    samples = [sample(str(number), b"image", columns=it) for number, it in enumerate(given)]
    body = written(name, samples, recipe)
    found = samples_in(name, body)
    assert [item.columns for item in found] == [as_read(name, values) for values in given]
    assert written(name, found, recipe) == body


@every_format
@every_kind
def test_a_sample_of_before_there_was_a_model_has_nothing_of_it(
    name: str, kind: ModelOutput
) -> None:
    recipe = recipe_for(name, kind)
    nothing = {column: None for column, _ in recipe.sample_columns}
    samples = [sample("a", b"1", columns=given_values(kind, BODIES[kind][0]))]
    samples.append(sample("b", b"2", columns=nothing))
    found = samples_in(name, written(name, samples, recipe))
    assert set(found[1].columns.values()) <= {None}


@every_format
@every_kind
@pytest.mark.parametrize("key", ["a", "k" * 300])
def test_what_a_model_gives_takes_no_more_than_is_reckoned(
    name: str, kind: ModelOutput, key: str
) -> None:
    recipe = recipe_for(name, kind)
    for body in BODIES[kind]:
        one = sample(key, b"1" * 100, filename=key, columns=given_values(kind, body))
        most = packed_bytes(recipe, len(key), 100, len(one.edge), (), len(body))
        assert len(written(name, [one], recipe)) <= most + end_bytes(recipe.output)


@every_format
@pytest.mark.parametrize("column", ["features", "scores"])
@pytest.mark.parametrize(("kind", "value"), [("text", "a"), ("int", 3), ("float", 0.5)])
def test_a_persons_column_may_be_called_as_what_a_model_gives(
    name: str, column: str, kind: str, value: SampleValue
) -> None:
    recipe = Recipe(output=Output(name), columns=((column, ColumnType(kind)),))
    (found,) = samples_in(name, written(name, [sample("a", b"1", columns={column: value})], recipe))
    assert found.columns[column] == value


def test_a_row_with_the_drawing_of_another_is_damaged() -> None:
    recipe = recipe_for("parquet", ModelOutput.IMAGE)
    body = written("parquet", [sample("a", b"1", columns={"model": b"PNG"})], recipe)
    with pytest.raises(Exception, match="the model of another"):
        samples_in("parquet", body.replace(b"a.model.png", b"b.model.png"))
