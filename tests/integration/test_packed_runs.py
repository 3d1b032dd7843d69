"""Packed datasets end to end: what a person gets, what growth changes, how they are kept whole."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from arro3.io import read_parquet
from PIL import Image

from imagemill.local_stack import LocalStack
from imagemill_contract.locations import Location
from imagemill_contract.reporting.sampling import MAX_SAMPLES
from imagemill_dataset.names import sample_key, split_of
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import Sample
from tests.helpers.photographs import cut, write_broken
from tests.helpers.runs import ended, keys_in, run_folder, start
from tests.helpers.tool import imagemill

pytestmark = pytest.mark.engine

PLACES = ("photos", "out")
SPLIT = (("train", 0.7), ("validation", 0.3))
OPTIONS = ("--split", "train=0.7,validation=0.3", "--label-from-folder", "--size", "48")
RECIPE = {"split": dict(SPLIT), "label_from_folder": True, "size": 48}  # the same


def picture_folder(folder: Path, count: int = 40) -> list[str]:
    names = [f"{'wolf' if n % 3 else 'cat'}/{n:02}.jpg" for n in range(count)]
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(cut(number))
    return names


def card_in(out: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((out / "dataset/dataset.json").read_text("utf-8"))
    return card


def samples_in(out: Path, card: dict[str, Any]) -> dict[str, tuple[str, Sample]]:
    """Split and sample by file name."""
    found = {}
    for shard in card["shards"]:
        with (out / shard["key"]).open("rb") as file:
            for sample in dataset_format(card["format"]).read(file):
                assert sample.filename not in found
                found[sample.filename] = shard["split"], sample
    return found


def table_in(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in (out / "dataset/index.parquet").iterdir():
        rows: Any = read_parquet(path).read_all().to_struct_array()
        found += rows.to_pylist()
    return found


@pytest.mark.parametrize("output", ["webdataset", "tfrecord", "parquet"])
def test_folder_becomes_a_dataset_that_index_and_card_describe(
    stack: LocalStack, tmp_path: Path, output: str
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    names = picture_folder(photos)
    write_broken(photos / "cat")
    done = run_folder(stack, photos, out, {**RECIPE, "output": output})
    assert "40 samples in " in done["sentence"]

    card = card_in(out)
    samples = samples_in(out, card)
    assert sorted(samples) == sorted(names)
    for name, (split, sample) in samples.items():
        folder = name.partition("/")[0]
        assert split == split_of(name, SPLIT)
        assert (sample.key, sample.width, sample.height) == (sample_key(name), 48, 48)
        assert (sample.label, sample.label_text) == ({"cat": 0, "wolf": 1}[folder], folder)
    assert card["samples"] == 40
    assert {name: item["samples"] for name, item in card["splits"].items()} == {
        name: sum(split == name for split, _ in samples.values()) for name, _ in SPLIT
    }
    assert (out / "dataset/labels.txt").read_text() == "cat\nwolf\n"
    assert not list((out / "intermediate").rglob("*.tar"))
    assert not (out / "resized").exists()

    rows = {row["source_key"]: row for row in table_in(out)}
    assert {name: rows[name]["sha256"] for name in names} == {
        name: sample.sha256 for name, (_, sample) in samples.items()
    }
    assert {row["reason"] for name, row in rows.items() if name not in samples} == {
        *("truncated", "empty", "not_an_image", "unsupported_format", "too_many_pixels"),
    }
    verified = imagemill("verify", out)
    assert verified.returncode == 0, verified.stderr
    assert "40 in use" in verified.stdout

    with Image.open(out / "dataset/preview.jpg") as sheet:  # 25 of them
        assert sheet.size == (504, 504)
    assert "(preview.jpg)" in (out / "dataset/README.md").read_text("utf-8")

    (page,) = out.glob("runs/*/report.html")
    text = page.read_text("utf-8")
    assert text.count('alt="resized"') == text.count('alt="edges"') == MAX_SAMPLES
    assert f"imagemill run {photos} {out} --size 48 --output {output}" in text
    assert "broken_truncated.jpg" in text


def test_growth_keeps_splits_and_labels_and_supersedes_what_has_changed(
    stack: LocalStack, tmp_path: Path
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    names = picture_folder(photos)
    run_folder(stack, photos, out, {**RECIPE, "output": "webdataset"})
    before = samples_in(out, card_in(out))

    (photos / "ant").mkdir()
    (photos / "ant/new.jpg").write_bytes(cut(90))
    for name in names[:3]:
        (photos / name).write_bytes(cut(91))
    command = ("run", photos, out, "--output", "webdataset", *OPTIONS)
    grown = imagemill(*command)
    assert grown.returncode == 0, grown.stderr
    assert "36 were done already" not in grown.stdout
    assert "37 were done already" in " ".join(grown.stdout.split())
    assert card_in(out)["superseded"]["samples"] == 3
    assert "3 superseded" in imagemill("verify", out).stdout

    compacted = imagemill("compact", out)
    assert compacted.returncode == 0, compacted.stderr
    after = samples_in(out, card_in(out))
    assert sorted(after) == sorted([*names, "ant/new.jpg"])
    assert {name: after[name][0] for name in names} == {name: before[name][0] for name in names}
    for name in names:
        assert after[name][1].label == before[name][1].label
        assert (after[name][1].sha256 == before[name][1].sha256) is (name not in names[:3])
    assert after["ant/new.jpg"][1].label == 2
    assert imagemill("verify", out).returncode == 0
    again = run_folder(stack, photos, out, {**RECIPE, "output": "webdataset"})
    assert again["sentence"] == "Nothing to do: all 41 pictures are done already."


def test_damaged_shard_fails_the_verification(stack: LocalStack, tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    picture_folder(photos, 6)
    run_folder(stack, photos, out, {"output": "tfrecord"})
    (path,) = out.glob("dataset/images-*")
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    checked = imagemill("verify", out)
    assert checked.returncode == 1
    assert f"damaged: dataset/{path.name}" in checked.stdout
    refused = imagemill("verify", photos)
    assert refused.returncode == 2
    assert "There are no dataset shards" in refused.stderr


def test_stack_packs_from_bucket_to_bucket(stack: LocalStack) -> None:
    s3 = stack.client("s3")
    for number in range(12):
        key = f"packed/{'a' if number % 2 else 'b'}/{number}.jpg"
        s3.put_object(Bucket=stack.input_bucket, Key=key, Body=cut(number))
    recipe = {"output": "parquet", "label_from_folder": True, "size": 32, "dataset_name": "letters"}
    request = {"source": f"s3://{stack.input_bucket}/packed/", "recipe": recipe}
    result = ended(start(stack, request)).result()
    assert result["verdict"] == "succeeded", result
    found = keys_in(stack, stack.output_bucket, "dataset/")
    shards = {key for key in found if key.startswith("dataset/letters-train-")}
    assert shards
    assert found - shards >= {
        *("dataset/README.md", "dataset/dataset.json"),
        *("dataset/labels.txt", "dataset/labels/00000000.json"),
    }
    assert any(key.startswith("dataset/index.parquet/") for key in found)
    assert keys_in(stack, stack.output_bucket, "intermediate/") == set()
    again = ended(start(stack, request)).result()
    assert "Nothing to do" in again["sentence"]


def test_shuffled_pictures_are_dealt_to_all_jobs_and_each_is_there_once(
    stack: LocalStack, tmp_path: Path
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    names = picture_folder(photos)
    recipe = {**RECIPE, "output": "webdataset", "shuffle": True}
    places = {name: str(Location.of_folder(PurePosixPath(tmp_path / name))) for name in PLACES}
    request = {"source": places["photos"], "output": places["out"], "recipe": recipe, "shards": 3}
    out.mkdir()
    done = ended(start(stack, request)).result()
    assert (done["verdict"], done["stages"]["edge"]["written"]) == ("succeeded", 40)

    assert sorted(samples_in(out, card_in(out))) == sorted(names)
    jobs = [
        [row["source_key"] for row in table_in(out) if job in str(row["shard"])]
        for job in ("-00000-", "-00001-", "-00002-")
    ]
    assert all({name.partition("/")[0] for name in job} == {"cat", "wolf"} for job in jobs)
    assert "40 in use" in imagemill("verify", out).stdout
    again = ended(start(stack, request)).result()
    assert again["sentence"].startswith("Nothing to do: all 40 pictures are done already")
