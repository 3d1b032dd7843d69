from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arro3.io import read_parquet
from PIL import Image
from rich.console import Console

from imagemill.display.summary import print_summary
from imagemill_app.labels import numbered_classes
from imagemill_app.stores import StoreAt
from imagemill_contract import keys
from imagemill_contract.document_parts.lines import encode_lines
from imagemill_contract.documents import encode_outcomes
from imagemill_contract.errors import DocumentError
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import Output
from imagemill_contract.reporting.previews import Preview
from imagemill_dataset import stored_dataset
from imagemill_dataset.files.holdings import Holdings
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.stored_index import read_index
from tests.helpers.packed_runs import RECIPE, PackedRun

NAMES = ["cats/a.jpg", "cats/b.jpg", "dogs/c.jpg", "e.jpg"]


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def report_of(run: PackedRun) -> dict[str, Any]:
    found: dict[str, Any] = run.read_json(keys.report_key(run.run_id))
    return found


def test_report_says_what_was_packed_and_that_it_was_checked(tmp_path: Path) -> None:
    run = PackedRun(tmp_path, NAMES, most=2).put()
    verdict = run.report()
    assert verdict.sentence == (
        "4 of 4 pictures resized, 4 edge maps, 0 rejected; "
        "4 samples in 2 dataset shards, read back and checked."
    )
    assert report_of(run)["dataset"] == {
        "format": "webdataset",
        "shards": 2,
        "samples": 4,
        "bytes": sum(shard.bytes for shard in run.shards),
        "verified": {"shards": 2, "samples": 4},
        "superseded": {"samples": 0, "shards": 0},
        "card": f"file://{tmp_path}/dataset/dataset.json",
    }


def test_report_does_not_claim_a_check_that_was_not_made(tmp_path: Path) -> None:
    run = PackedRun(tmp_path, NAMES).put(samples=3)
    assert "4 samples in 1 dataset shard, of which 3 were read back" in run.report().sentence


def test_index_knows_where_each_sample_lies(tmp_path: Path) -> None:
    run = PackedRun(tmp_path, NAMES, most=3)
    run.reject(3)
    run.put().report()
    index = read_index(StoreAt(run.output))
    assert index.shards == {shard.key: shard for shard in run.shards}
    place = index.entries["dogs/c.jpg"].place
    assert place is not None
    assert (place.shard, place.position, place.image_bytes) == (run.shards[0].key, 2, 50)
    assert (place.sha256, place.label) == (run.shards[0].sha256, None)
    assert index.entries["e.jpg"].reason == "truncated"
    assert index.entries["e.jpg"].place is None


def test_dataset_is_published_with_all_its_files(tmp_path: Path) -> None:
    recipe = replace(RECIPE, label_from_folder=True)
    run = PackedRun(tmp_path, NAMES[:3], recipe=recipe).put()
    numbered_classes(run.output, ["dogs", "cats"])
    run.report()
    assert run.read(keys.LABELS_TEXT) == b"cats\ndogs\n"
    card = run.read_json(keys.DATASET_CARD)
    assert card["classes"]["cats"] == {"label": 0, "samples": {"train": 2}}
    assert card["shards"][0]["key"] == run.shards[0].key
    assert Path(run.shards[0].key).name in run.read(keys.DATASET_README).decode()
    (path,) = (tmp_path / keys.INDEX_TABLE).iterdir()
    table = read_parquet(io.BytesIO(path.read_bytes())).read_all()
    assert table.column("source_key").to_pylist() == NAMES[:3]
    assert table.column("label").to_pylist() == [0, 0, 1]


def test_samples_of_an_older_run_are_superseded(tmp_path: Path) -> None:
    old = PackedRun(tmp_path, NAMES).put()
    old.report()
    new = PackedRun(tmp_path, NAMES[:3], "run-2", minute=2).put()
    assert new.report().sentence.endswith(
        "; 3 samples in 1 older shard are superseded; `imagemill compact` removes them."
    )
    assert report_of(new)["dataset"]["superseded"] == {"samples": 3, "shards": 1}
    card = new.read_json(keys.DATASET_CARD)
    assert card["samples"] == 4
    assert {row["key"]: row["superseded"] for row in card["shards"]} == {
        old.shards[0].key: 3,
        new.shards[0].key: 0,
    }


def test_pruned_sample_is_superseded_and_nothing_is_removed(tmp_path: Path) -> None:
    old = PackedRun(tmp_path, NAMES).put()
    old.report()
    new = PackedRun(tmp_path, [], "run-2", minute=2).put()
    new.document |= {"deleted": 1, "prune": True}
    rows = [{"key": NAMES[0], "outputs": []}]
    (tmp_path / keys.deleted_key("run-2")).write_bytes(encode_lines("deleted", {}, rows))
    assert "1 sample in 1 older shard is superseded" in new.report().sentence
    assert new.read_json(keys.DATASET_CARD)["samples"] == 3
    assert (tmp_path / old.shards[0].key).exists()


def test_aggregating_twice_changes_nothing(tmp_path: Path) -> None:
    PackedRun(tmp_path, NAMES).put().report()
    run = PackedRun(tmp_path, NAMES[:2], "run-2", minute=2).put()
    verdict = run.report()
    before = files_in(tmp_path)
    assert run.report() == verdict
    assert files_in(tmp_path) == before


def test_what_lay_between_the_stages_is_removed_of_this_run_only(tmp_path: Path) -> None:
    other = PackedRun(tmp_path, NAMES, "run-2").put()
    run = PackedRun(tmp_path, NAMES).put()
    run.report()
    assert not (tmp_path / keys.INTERMEDIATE / "run-1").exists()
    assert (tmp_path / keys.intermediate_key("run-2", "00000", "piece")).exists()
    other.report()
    assert not (tmp_path / keys.INTERMEDIATE).exists()


def lose_a_row(run: PackedRun) -> None:
    run.shards[0] = replace(run.shards[0], samples=5)


def put_two_at_one_position(run: PackedRun) -> None:
    run.edges[1] = run.edges[1]._replace(position=0)


def forget_a_position(run: PackedRun) -> None:
    run.edges[1] = run.edges[1]._replace(position=None)


def name_an_unknown_shard(run: PackedRun) -> None:
    run.edges[3] = run.edges[3]._replace(output_key="dataset/other.tar", position=0)
    run.shards[0] = replace(run.shards[0], samples=3)


def lose_the_file(run: PackedRun) -> None:
    (run.folder / run.shards[0].key).unlink()


def cut_the_file(run: PackedRun) -> None:
    (run.folder / run.shards[0].key).write_bytes(b"short")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lose_a_row, "has 5 samples, but 4 objects name it"),
        (put_two_at_one_position, "two name the same position"),
        (forget_a_position, "its outcomes do not say where"),
        (name_an_unknown_shard, "but no job says that it wrote it"),
        (lose_the_file, "is not there"),
        (cut_the_file, "has 5 bytes"),
    ],
)
def test_dataset_that_does_not_add_up_is_no_report(
    damage: Any, sentence: str, tmp_path: Path
) -> None:
    run = PackedRun(tmp_path, NAMES)
    damage(run)
    with pytest.raises(DocumentError, match=sentence):
        run.put().report()
    assert not (tmp_path / keys.report_key("run-1")).exists()
    assert not (tmp_path / keys.DATASET_CARD).exists()
    assert read_index(StoreAt(run.output)).entries == {}


def test_runs_that_end_at_once_leave_the_files_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = PackedRun(tmp_path, NAMES[:2]).put()
    second = PackedRun(tmp_path, NAMES[2:], "run-2", minute=2).put()
    write_files = stored_dataset.write_dataset_files
    seen: list[int] = []

    def slow_write(store: ObjectStore, held: Holdings, *others: Any) -> None:
        seen.append(len(held.shards))
        if len(seen) == 1:  # the other run ends after this one has read, and writes before it
            second.report()
        write_files(store, held, *others)

    monkeypatch.setattr(stored_dataset, "write_dataset_files", slow_write)
    first.report()
    assert seen == [1, 2, 2]
    card = first.read_json(keys.DATASET_CARD)
    assert card["samples"] == 4
    assert {row["key"] for row in card["shards"]} == {
        shard.key for shard in (*first.shards, *second.shards)
    }


def test_run_of_files_has_no_dataset(tmp_path: Path) -> None:
    run = PackedRun(tmp_path, [], recipe=replace(RECIPE, output=Output.FILES)).put()
    run.report()
    assert report_of(run)["dataset"] is None
    assert not (tmp_path / keys.DATASET_CARD).exists()


def test_run_of_files_beside_a_dataset_brings_its_files_up_to_date(tmp_path: Path) -> None:
    PackedRun(tmp_path, NAMES).put().report()
    card = tmp_path / keys.DATASET_CARD
    card.write_text("of before")
    nothing = PackedRun(tmp_path, [], "run-2", recipe=replace(RECIPE, output=Output.FILES))
    nothing.document["has_dataset"] = True  # as the planner has seen in the index
    nothing.put().report()
    assert nothing.read_json(keys.DATASET_CARD)["samples"] == len(NAMES)


def test_summary_of_a_run_tells_of_its_dataset(tmp_path: Path) -> None:
    PackedRun(tmp_path, NAMES).put().report()
    run = PackedRun(tmp_path, NAMES[:3], "run-2", minute=2).put()
    run.report()
    out = io.StringIO()
    print_summary(Console(file=out, width=200), report_of(run), 1.0)
    text = out.getvalue()
    assert "3 samples in 1 older shard are superseded; `imagemill compact` removes them." in text
    assert f"dataset: webdataset, 3 new samples, {run.shards[0].bytes} bytes" in text
    assert f"card: {tmp_path}/dataset/README.md" in text


def test_card_is_the_same_whichever_run_publishes(tmp_path: Path) -> None:
    cards = []
    for order in ((1, 2), (2, 1)):
        folder = tmp_path / str(order[0])
        runs = {
            1: PackedRun(folder, NAMES[:2], "run-1", minute=1).put(),
            2: PackedRun(folder, NAMES[1:], "run-2", minute=2).put(),
        }
        for number in order:
            runs[number].report()
        cards.append(json.dumps(runs[1].read_json(keys.DATASET_CARD)))
    assert cards[0] == cards[1]


def test_picture_that_has_no_class_any_more_has_no_sample_either(tmp_path: Path) -> None:
    first = PackedRun(tmp_path, ["cats/a.jpg", "b.jpg"]).put()
    first.report()
    labelled = replace(RECIPE, label_from_folder=True)
    second = PackedRun(tmp_path, ["cats/a.jpg"], "run-2", minute=2, recipe=labelled).put()
    refused = [Outcome("b.jpg", Status.REJECTED, Reason.NO_LABEL, "It lies in no folder.")]
    (tmp_path / keys.refused_key("run-2")).write_bytes(encode_outcomes({}, refused))
    second.document["refused"] = 1
    numbered_classes(second.output, ["cats"])
    second.report()
    card = second.read_json(keys.DATASET_CARD)
    assert card["samples"] == 1
    assert card["superseded"]["samples"] == 2


def small_copies(colours: list[str]) -> list[Preview]:
    found = []
    for number, colour in enumerate(colours):
        file = io.BytesIO()
        Image.new("RGB", (96, 64), colour).save(file, "WEBP")
        text = base64.b64encode(file.getvalue()).decode()
        found.append(Preview(f"{number:02}.jpg", text, text))
    return found


def test_readme_shows_a_contact_sheet_that_a_run_with_few_pictures_leaves(tmp_path: Path) -> None:
    few = PackedRun(tmp_path, NAMES, "run-1", 1)
    few.previews = small_copies(["red", "green"])
    few.put().report()
    with Image.open(tmp_path / "dataset/preview.jpg") as sheet:
        assert sheet.size == (204, 104)
        drawn = np.asarray(sheet)[52, [52, 152]]
    assert sorted(drawn.argmax(axis=1)) == [0, 1]  # red, green
    assert (
        "![Some of the pictures, drawn by lot](preview.jpg)"
        in few.read(keys.DATASET_README).decode()
    )
    assert few.read_json("dataset/dataset.json")["preview"] == "preview.jpg"

    many = PackedRun(tmp_path, [f"{number}.jpg" for number in range(30)], "run-2", 2)
    many.previews = small_copies(["blue"] * 25)
    many.put().report()
    sheet_of_many = many.read("dataset/preview.jpg")
    with Image.open(io.BytesIO(sheet_of_many)) as sheet:
        assert sheet.size == (504, 504)
    few.put().report()
    assert few.read("dataset/preview.jpg") == sheet_of_many


def test_dataset_without_a_contact_sheet_shows_none(tmp_path: Path) -> None:
    run = PackedRun(tmp_path, NAMES)
    broken = base64.b64encode(b"no picture").decode()
    run.previews = [Preview("a", "", ""), Preview("b", broken, broken)]
    run.put().report()
    assert not (tmp_path / "dataset/preview.jpg").exists()
    assert "preview" not in run.read(keys.DATASET_README).decode()
