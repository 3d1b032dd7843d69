"""The scripts in `examples/` train on what `imagemill run` has packed, in shards or in S3."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagemill.project import ROOT
from imagemill_contract import keys
from imagemill_contract.recipe import Output
from imagemill_engine.engine import Engine
from tests.helpers.readers import printed_by, run

pytestmark = [pytest.mark.readers, pytest.mark.timeout(600)]

EXAMPLES = ROOT / "examples"
BUCKET = "datasets"
PACKED = {
    "label_from_folder": True,
    "shuffle": True,
    "stratify": True,
    "split": {"train": 0.75, "validation": 0.25},
    "shard_bytes": 200_000,
}
# Script, its environment, the output that it reads, and the folder in it.
SCRIPTS = (
    ("pytorch_webdataset", "huggingface", Output.WEBDATASET, "dataset"),
    ("pytorch_parquet", "huggingface", Output.PARQUET, "dataset"),
    ("pytorch_files", "huggingface", Output.FILES, ""),
    ("tensorflow_tfrecord", "tensorflow", Output.TFRECORD, "dataset"),
    ("huggingface_stream", "huggingface", Output.WEBDATASET, "dataset"),
    ("huggingface_stream", "huggingface", Output.PARQUET, "dataset"),
)


@pytest.fixture(scope="module")
def outs(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the output of each form, by its name."""
    base = tmp_path_factory.mktemp("outs")
    for output in Output:
        packed = {} if output is Output.FILES else PACKED
        run(photos, base / output, {"size": 64, "output": output, **packed})
    return base


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine.start() as engine:
        engine.client("s3").create_bucket(Bucket=BUCKET)
        yield engine


def expected(out: Path, photos: Path, output: Output) -> dict[str, int]:
    """How many samples of each class a script has to find, by the class's number."""
    if output is Output.FILES:
        folders = sorted(path for path in photos.iterdir() if path.is_dir())
        counts = (sum(path.suffix != ".json" for path in it.iterdir()) for it in folders)
        return {str(number): count for number, count in enumerate(counts)}
    classes = json.loads((out / keys.DATASET_CARD).read_bytes())["classes"]
    return {str(row["label"]): row["samples"]["train"] for row in classes.values()}


def told(lines: list[str]) -> dict[str, int]:
    """What a script has found, from its last line."""
    found = re.fullmatch(r"(\d+) samples, \d+ per second, by class \{(.*)\}", lines[-1])
    assert found, lines
    counts = dict(part.split(": ") for part in found[2].split(", "))
    assert sum(map(int, counts.values())) == int(found[1])
    return {label: int(count) for label, count in counts.items()}


def test_every_script_is_run() -> None:
    assert {name for name, *_ in SCRIPTS} == {path.stem for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize(
    ("script", "environment", "output", "folder"), SCRIPTS, ids=lambda value: str(value)
)
def test_script_takes_every_sample_of_its_split_once(
    script: str,
    environment: str,
    output: Output,
    folder: str,
    outs: Path,
    photos: Path,
    tmp_path: Path,
) -> None:
    command = [EXAMPLES / f"{script}.py", outs / output / folder]
    found = told(printed_by(environment, command, tmp_path, tmp_path))
    assert found == expected(outs / output, photos, output)


@pytest.mark.parametrize("output", [Output.WEBDATASET, Output.PARQUET])
def test_samples_are_streamed_from_s3(
    output: Output, outs: Path, photos: Path, engine: Engine, tmp_path: Path
) -> None:
    out = outs / output
    s3, prefix = engine.client("s3"), f"{output}/dataset"
    for path in (out / "dataset").iterdir():
        if path.is_file():
            s3.put_object(Bucket=BUCKET, Key=f"{prefix}/{path.name}", Body=path.read_bytes())
    aws = {
        "AWS_ENDPOINT_URL": engine.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [EXAMPLES / "huggingface_stream.py", f"s3://{BUCKET}/{prefix}"]
    found = told(printed_by("huggingface", command, tmp_path, tmp_path, **aws))
    assert found == expected(out, photos, output)
