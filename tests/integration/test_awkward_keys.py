"""Keys that S3 takes and few programs expect, through the whole pipeline."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from imagemill.local_stack import LocalStack
from imagemill_contract.keys import output_key, stages_of
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_worker.dataset.formats.registry import dataset_format
from tests.helpers.photographs import cut
from tests.helpers.runs import ended, keys_in, start
from tests.helpers.tool import imagemill

pytestmark = pytest.mark.engine

NAMES = [
    *("plain.jpg", "a//b.jpg", "a///c.jpg", "/lead.jpg", "a/./d.jpg", "a/../e.jpg", "../up.jpg"),
    *("tab\tbed.jpg", "two\nlines.jpg", "bell\x07.jpg", "del\x7f.jpg", "100%2F.jpg"),
    *("x" * 240 + "/" + "y" * 300 + ".jpg", "/".join(["é" * 60] * 8) + ".jpg"),
]


@pytest.fixture(scope="module")
def prefix(stack: LocalStack) -> str:
    s3 = stack.client("s3")
    for number, name in enumerate(NAMES):
        s3.put_object(Bucket=stack.input_bucket, Key=f"awkward/{name}", Body=cut(number))
    return "awkward/"


def results() -> set[str]:
    return {output_key(stage, name, Recipe()) for name in NAMES for stage in stages_of(Recipe())}


def succeeded(stack: LocalStack, prefix: str, **fields: Any) -> dict[str, Any]:
    request = {"source": f"s3://{stack.input_bucket}/{prefix}", **fields}
    result = ended(start(stack, request)).result()
    assert result["stages"]["edge"]["written"] == len(NAMES), result
    nothing = ended(start(stack, request)).result()
    assert nothing["sentence"] == f"Nothing to do: all {len(NAMES)} pictures are done already."
    return result


def test_awkward_keys_become_objects_of_a_bucket(stack: LocalStack, prefix: str) -> None:
    succeeded(stack, prefix)
    found = keys_in(stack, stack.output_bucket, "resized/")
    found |= keys_in(stack, stack.output_bucket, "edges/")
    assert results() <= found


def test_awkward_keys_become_files_of_a_folder_and_of_nothing_else(
    stack: LocalStack, prefix: str, tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "out"
    output = str(Location.of_folder(PurePosixPath(out)))
    succeeded(stack, prefix, output=output)
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {name for name in files if name.startswith(("resized/", "edges/"))} == results()
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"out"}


@pytest.mark.parametrize("form", ["webdataset", "tfrecord", "parquet"])
def test_awkward_keys_become_samples(
    stack: LocalStack, prefix: str, tmp_path: Path, form: str
) -> None:
    output = str(Location.of_folder(PurePosixPath(tmp_path)))
    succeeded(stack, prefix, output=output, recipe={"output": form, "size": 32})
    card = json.loads((tmp_path / "dataset/dataset.json").read_text("utf-8"))
    found = []
    for shard in card["shards"]:
        with (tmp_path / shard["key"]).open("rb") as file:
            found += [sample.filename for sample in dataset_format(card["format"]).read(file)]
    assert sorted(found) == sorted(NAMES)
    assert imagemill("verify", tmp_path).returncode == 0


def test_file_beside_a_folder_of_its_results_name_costs_one_row(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    (photos / "dir.jpg").mkdir(parents=True)
    for number, name in enumerate(["dir", "dir.jpg/inside.jpg", "other.jpg"]):
        (photos / name).write_bytes(cut(number))
    for _ in range(2):
        done = imagemill("run", photos, out)
        assert done.returncode == 0, done.stderr
        assert "rejected dir.jpg/inside.jpg: key_collision" in done.stdout
        assert (out / "resized/dir.jpg").is_file()
        assert (out / "resized/other.jpg").is_file()
