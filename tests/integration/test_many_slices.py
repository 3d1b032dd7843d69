"""A stack whose slices are small, so that a few pictures are a run of many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagemill.errors import UsageError
from imagemill.local_stack import LocalStack, deployed_on
from imagemill_contract import keys
from imagemill_engine.engine import Engine
from tests.helpers.photographs import cut
from tests.helpers.runs import ended, keys_in, run_folder, start

pytestmark = pytest.mark.engine

NAMES = [f"{number % 3}/{number:02}.jpg" for number in range(10)]


@pytest.fixture(scope="module")
def sliced(engine: Engine) -> LocalStack:
    return deployed_on(engine, {"SliceObjects": "4"}, "sliced")


def test_run_over_a_bucket_goes_from_slices_to_a_report(sliced: LocalStack) -> None:
    s3 = sliced.client("s3")
    for number, name in enumerate(NAMES):
        s3.put_object(Bucket=sliced.input_bucket, Key=f"photos/{name}", Body=cut(number))
    source = f"s3://{sliced.input_bucket}/photos/"
    first = ended(start(sliced, {"source": source})).result()
    assert (first["verdict"], first["stages"]["edge"]["written"]) == ("succeeded", len(NAMES))
    tallies = keys_in(sliced, sliced.output_bucket, "runs/")
    assert sum("/tallies/" in key for key in tallies) == 3
    assert len(keys_in(sliced, sliced.output_bucket, keys.LEAVES)) == 3

    s3.put_object(Bucket=sliced.input_bucket, Key="photos/0/00.jpg", Body=cut(33))
    s3.put_object(Bucket=sliced.input_bucket, Key="photos/2/99.jpg", Body=cut(34))
    second = ended(start(sliced, {"source": source})).result()
    assert second["stages"]["resize"]["written"] == 2
    shown = ended(start(sliced, {"source": source, "dry_run": True})).result()
    assert (shown["objects"], shown["done"]) == (0, {"unchanged": 11})


def test_refusal_of_many_slices_is_one_sentence(sliced: LocalStack) -> None:
    for number in range(9):
        sliced.client("s3").put_object(
            Bucket=sliced.input_bucket, Key=f"texts/{number}.txt", Body=b"text"
        )
    run = ended(start(sliced, {"source": f"s3://{sliced.input_bucket}/texts/"}))
    with pytest.raises(UsageError, match="there are no pictures at"):
        run.result()


def test_dataset_of_many_slices_is_one_dataset(sliced: LocalStack, tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    for number, name in enumerate(NAMES):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(cut(number))
    recipe = {"output": "webdataset", "label_from_folder": True, "size": 32}
    assert run_folder(sliced, photos, out, recipe)["verdict"] == "succeeded"
    card = json.loads((out / keys.DATASET_CARD).read_text())
    assert card["samples"] == len(NAMES)
    assert {name: found["label"] for name, found in card["classes"].items()} == {
        "0": 0,
        "1": 1,
        "2": 2,
    }
    assert not (out / keys.DRAFTS).exists()
