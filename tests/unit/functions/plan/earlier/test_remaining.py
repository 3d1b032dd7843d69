from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from imagemill_app.plan.earlier.recipe_change import change_of
from imagemill_app.plan.earlier.remaining import output_test, remaining_work, sample_test
from imagemill_app.stores import StoreAt
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import output_keys, stages_of
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import EdgeMethod, Output, Recipe, ResizeMode
from imagemill_dataset.index import Entry, IndexedRun, Place, encode_part
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_dataset.stored_index import StoredIndex

SOURCE = Location("s3://input-bucket", "full/")
RECIPE = Recipe()
PACKED_RECIPE = Recipe(output=Output.PARQUET)
RUN = IndexedRun("run-1", "2026-11-23T10:00:00.000Z", str(SOURCE), RECIPE.to_document())


def work(entries: dict[str, Entry], recipe: Recipe = RECIPE, *, outputs: bool = True) -> Any:
    objects = [SourceObject(f"full/{name}.jpg", "e1", 1) for name in "abc"]
    return remaining_work(objects, "full/", recipe, entries, lambda relative: outputs)


def done(etag: str = "e1", reason: Reason | None = None) -> Entry:
    return Entry(etag, reason, RUN)


def test_only_what_is_new_or_changed_is_left_and_says_why() -> None:
    left = work({"a.jpg": done(), "b.jpg": done("e0")})
    assert [item.key for item in left.objects] == ["full/b.jpg", "full/c.jpg"]
    assert left.reasons == {"changed": 1, "new": 1}
    assert left.done == {"unchanged": 1}


def test_changed_recipe_does_all_again_and_names_the_field() -> None:
    left = work({f"{name}.jpg": done() for name in "abc"}, Recipe(size=512))
    assert left.reasons == {"recipe changed: size 128 -> 512": 3}


def test_recipe_from_before_a_field_was_new_is_the_same_recipe() -> None:
    fields = {name: value for name, value in RUN.recipe.items() if name in ("size", "mode", "blur")}
    old = IndexedRun("run-0", "2025", str(SOURCE), fields)
    assert work({"a.jpg": Entry("e1", None, old)}).done == {"unchanged": 1}
    gone = IndexedRun("run-0", "2025", str(SOURCE), {**fields, "sharpen": 3})
    reasons = work({"a.jpg": Entry("e1", None, gone)}).reasons
    assert reasons == {"recipe changed: sharpen 3 -> None": 1, "new": 2}


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (
            {"size": 128},
            Recipe(),
            "canny_low 100 -> 0, canny_high 200 -> 0, blur 0.0 -> 1.0",
        ),
        (
            {"edge": "sobel", "mode": "border"},
            Recipe(edge=EdgeMethod.SOBEL, mode=ResizeMode.BORDER),
            "edges_of_padding True -> None",
        ),
    ],
)
def test_edge_maps_of_an_earlier_release_are_made_again(
    before: dict[str, object], now: Recipe, reason: str
) -> None:
    entry = Entry("e1", None, IndexedRun("run-0", "2025", str(SOURCE), before))
    assert work({"a.jpg": entry}, now).reasons == {f"recipe changed: {reason}": 1, "new": 2}


def test_edge_maps_of_an_earlier_release_that_are_still_wanted_are_left() -> None:
    entry = Entry("e1", None, IndexedRun("run-0", "2025", str(SOURCE), {"size": 128}))
    wanted = Recipe(canny_low=100, canny_high=200, blur=0.0)
    assert work({"a.jpg": entry}, wanted).done == {"unchanged": 1}


def test_retry_also_does_what_was_rejected_for_good_and_nothing_that_is_done() -> None:
    objects = [SourceObject(f"full/{name}.jpg", "e1", 1) for name in "abc"]
    entries = {"a.jpg": done(), "b.jpg": done(reason=Reason.TRUNCATED), "c.jpg": done("e0")}
    left = remaining_work(objects, "full/", RECIPE, entries, lambda relative: True, retry=True)
    assert [item.key for item in left.objects] == ["full/b.jpg", "full/c.jpg"]
    assert left.reasons == {"retry of rejected": 1, "changed": 1}
    assert left.done == {"unchanged": 1}


def test_missing_output_is_made_again() -> None:
    left = work({f"{name}.jpg": done() for name in "abc"}, outputs=False)
    assert left.reasons == {"output missing": 3}


def test_lasting_rejection_is_not_tried_again_and_a_passing_one_is() -> None:
    left = work(
        {
            "a.jpg": done(reason=Reason.TRUNCATED),
            "b.jpg": done(reason=Reason.DECODER_TIMEOUT),
            "c.jpg": done(reason=Reason.JOB_FAILED),
        },
        outputs=False,
    )
    assert left.reasons == {"retry of rejected": 1, "retry of failed": 1}
    assert left.done == {"rejected by an earlier run": 1}


@pytest.fixture
def output(tmp_path: Path) -> Location:
    return Location.of_folder(PurePosixPath(tmp_path))


def packed(run: IndexedRun, shard: str, position: int = 0) -> Entry:
    return Entry("e1", None, run, place=Place(shard, position, 8, 8, 9, 3, "ab" * 32))


def write_part(folder: Path, key: str, entries: dict[str, Entry], *shards: DatasetShard) -> None:
    (folder / key).parent.mkdir(exist_ok=True)
    (folder / key).write_bytes(encode_part(entries, shards))


def index_of(output: Location) -> StoredIndex:
    return StoredIndex.opened(StoreAt(output))


def test_sample_is_there_when_its_dataset_shard_is_as_a_whole(
    output: Location, tmp_path: Path
) -> None:
    kept, lost, cut = (f"dataset/images-train-{name}-00000-0000.tar" for name in "klc")
    (tmp_path / "dataset").mkdir()
    (tmp_path / kept).write_bytes(b"whole")
    (tmp_path / cut).write_bytes(b"cut")
    shards = {key: DatasetShard(key, "train", 1, 5, "", PixelSums()) for key in (kept, lost, cut)}
    entries = {"a": packed(RUN, kept), "b": packed(RUN, lost), "c": done(), "d": packed(RUN, cut)}
    write_part(tmp_path, "index/1.jsonl.gz", entries, *shards.values())
    is_packed = sample_test(output, index_of(output), entries)
    assert [is_packed(name) for name in "abcde"] == [True, False, False, False, False]


def test_sample_that_a_compaction_has_moved_meanwhile_is_there(
    output: Location, tmp_path: Path
) -> None:
    old, new = (f"dataset/images-train-{name}-00000-0000.tar" for name in "on")
    shards = {key: DatasetShard(key, "train", 3, 5, "", PixelSums()) for key in (old, new)}
    read = {name: packed(RUN, old) for name in "abc"}
    write_part(tmp_path, "index/1.jsonl.gz", read, shards[old])
    is_packed = sample_test(output, index_of(output), read)
    other = replace(RUN, run_id="run-2", recipe=PACKED_RECIPE.to_document())
    entries = {"a": packed(RUN, new), "b": packed(other, new)}
    write_part(tmp_path, "index/1.jsonl.gz", entries, shards[new])
    (tmp_path / "dataset").mkdir()
    (tmp_path / new).write_bytes(b"whole")
    assert [is_packed(name) for name in "abcd"] == [True, False, False, False]


@pytest.mark.parametrize("object_count", [1, 1000])
def test_outputs_are_there_only_when_both_stages_have_theirs(
    object_count: int, output: Location, tmp_path: Path
) -> None:
    for name in ("resized/a.jpg", "edges/a.jpg.png", "resized/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    relatives = ["a.jpg", "b.jpg", "c.jpg", *(f"x{n}.jpg" for n in range(object_count - 1))]
    has_outputs = output_test(output, Recipe(), relatives)
    assert has_outputs("a.jpg")
    assert not has_outputs("b.jpg")
    assert not has_outputs("c.jpg")


@pytest.mark.parametrize("object_count", [1, 1000])
def test_outputs_are_there_only_when_those_of_all_stages_and_sizes_are(
    object_count: int, output: Location, tmp_path: Path
) -> None:
    recipe = Recipe.from_document({"sizes": [64, 128], "more_stages": ["sharpness"]})
    names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    relatives = [*names, *(f"x{n}.jpg" for n in range(object_count - 1))]
    for name in names:
        for stage in stages_of(recipe):
            for key in output_keys(stage, name, recipe):
                (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / key).touch()
    (tmp_path / "resized/64/b.jpg").unlink()
    (tmp_path / "edges/128/c.jpg.png").unlink()
    (tmp_path / "stages/sharpness/d.jpg.json").unlink()
    has_outputs = output_test(output, recipe, relatives)
    assert [has_outputs(name) for name in names] == [True, False, False, False]


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ({"sizes": [64, 128]}, {"sizes": [64]}, "sizes changed: 64, 128 -> 64"),
        ({"size": 256}, {"sizes": [64, 128]}, "sizes changed: 256 -> 64, 128"),
        ({"sizes": [64, 128]}, {"size": 64}, "sizes changed: 64, 128 -> 64"),
        ({"size": 256}, {"size": 64}, "recipe changed: size 256 -> 64"),
        (
            {"sizes": [64, 128]},
            {"sizes": [64], "quality": 90},
            "recipe changed: sizes [64, 128] -> [64], quality 95 -> 90",
        ),
        ({"sizes": [128, 64]}, {"sizes": [64, 128]}, ""),
    ],
)
def test_changed_list_of_sizes_is_a_reason_of_its_own(
    before: dict[str, object], now: dict[str, object], reason: str
) -> None:
    documents = [Recipe.from_document(recipe).to_document() for recipe in (before, now)]
    assert change_of(*documents) == reason
