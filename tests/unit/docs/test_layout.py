"""Keys, samples and columns in the pages are those that are written."""

from __future__ import annotations

import io
import json
import re
import tarfile

import pytest
from arro3.io import read_parquet

from imagemill.output_lock import LOCK_FILE
from imagemill_contract import keys
from imagemill_contract.index_keys import index_key
from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset.names import dataset_shard_key, sample_key, shard_tag
from imagemill_dataset.tables.index_table import index_table
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import Sample
from tests.helpers.pages import codes, plain, table, text_of

DATASETS_PAGE, LOCAL_PAGE = text_of("docs/datasets.md"), text_of("docs/local.md")
SAMPLE = Sample(
    key=sample_key("cat/a.jpg"),
    filename="cat/a.jpg",
    image=b"picture",
    image_format="jpg",
    edge=b"edges",
    width=8,
    height=8,
    sha256="0" * 64,
    label=0,
    label_text="cat",
)


def written_keys() -> set[str]:
    """Keys of what a run writes for the picture `ab.jpg`, its id as the pages have it."""
    recipe = Recipe(model="s3://bucket/model.onnx", more_stages=frozenset({"sharpness"}))
    stage_keys = {keys.output_key(stage, "ab.jpg", recipe) for stage in stages_of(recipe)}
    in_sizes = Recipe.from_document({"sizes": [64, 128]})
    stage_keys |= {
        key for stage in stages_of(in_sizes) for key in keys.output_keys(stage, "ab.jpg", in_sizes)
    }
    of_run = {
        *(keys.report_key("RUN"), keys.report_page_key("RUN"), keys.RUN_LIST),
        *(keys.plan_key("RUN"), keys.refused_key("RUN")),
        keys.shard_key("RUN", "00000"),
        keys.outcome_key("RUN", Stage.RESIZE, "00000"),
        keys.open_run_key("RUN"),
        *(keys.manifest_key("RUN"), keys.stopped_key("RUN")),
        keys.upkeep_lock_key(1),
        keys.journal_key("RUN", Stage.RESIZE, "00000", "000000"),
    }
    shard = dataset_shard_key("images", "train", shard_tag("RUN", "00000"), 0, Output.WEBDATASET)
    views = {
        keys.DATASET_CROISSANT,
        keys.DATASET_README,
        keys.DATASET_CARD,
        keys.DATASET_PREVIEW,
        f"{keys.INDEX_TABLE}/0123456789abcdef.parquet",
        keys.LABELS_TEXT,
    }
    index = index_key("2026-11-24T12:00:00Z", "RUN")
    return stage_keys | of_run | views | {shard, index, LOCK_FILE}


def pattern_of(key: str) -> re.Pattern[str]:
    """What a key in a page stands for: any run, any tag, a folder with all that is in it."""
    pattern = re.escape(key).replace("<run_id>", "RUN").replace("7de56dac", "[0-9a-f]{8}")
    return re.compile(pattern + (".*" if key.endswith("/") else ""))


@pytest.mark.parametrize(
    ("page", "heading"),
    [
        ("README.md", "in `OUT` or the output bucket"),
        ("docs/local.md", "in `OUT`"),
        ("docs/datasets.md", "in `OUT`"),
    ],
)
def test_keys_of_results_are_those_of_the_contract(page: str, heading: str) -> None:
    for key in (plain(row[heading]) for row in table(text_of(page), heading)):
        assert any(pattern_of(key).fullmatch(written) for written in written_keys()), key


@pytest.mark.parametrize("row", table(LOCAL_PAGE, "source"), ids=lambda row: row["source"])
def test_names_of_results_follow_the_grammar_of_keys(row: dict[str, str]) -> None:
    source = plain(row["source"])
    assert plain(row["resized, as jpg"]) == keys.output_key(Stage.RESIZE, source, Recipe())
    assert plain(row["edge map"]) == keys.output_key(Stage.EDGE, source, Recipe())


def shard_of(output: Output) -> bytes:
    file = io.BytesIO()
    dataset_format(output).write(file, [SAMPLE])
    return file.getvalue()


def named_in(heading: str) -> set[str]:
    return {name for row in table(DATASETS_PAGE, heading) for name in codes(row[heading])}


def test_files_of_a_webdataset_sample_are_those_of_the_page() -> None:
    rows = {plain(row["file"]): row["content"] for row in table(DATASETS_PAGE, "file")}
    with tarfile.open(fileobj=io.BytesIO(shard_of(Output.WEBDATASET))) as archive:
        names = archive.getnames()
        about = archive.extractfile("cat/a%2Ejpg.json")
        assert about is not None
        fields = json.loads(about.read())
    assert names == list(rows)
    assert sorted(codes(rows["cat/a%2Ejpg.json"])) == sorted(fields)


def test_features_of_a_tfrecord_sample_are_those_of_the_page() -> None:
    found = re.findall(rb"(?:image|edge)/[a-z0-9/]*[a-z0-9]", shard_of(Output.TFRECORD))
    assert {name.decode() for name in found} == named_in("feature")


def test_columns_of_a_parquet_shard_are_those_of_the_page() -> None:
    names = read_parquet(io.BytesIO(shard_of(Output.PARQUET))).schema.names
    assert set(names) == named_in("column")


def test_columns_of_the_index_are_those_of_the_page() -> None:
    names = read_parquet(io.BytesIO(index_table([], {}))).schema.names
    assert set(names) == named_in("column of the index")
