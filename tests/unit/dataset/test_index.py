from __future__ import annotations

import io
import tracemalloc
from dataclasses import replace

import pytest
from arro3.io import read_parquet
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.document_parts.pictures import Original
from imagemill_contract.errors import DocumentError
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import ModelOutput, Output, Recipe
from imagemill_contract.recipe_parts.labels import Labels
from imagemill_dataset.index import Entry, Index, IndexedRun, Place, encode_part
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_dataset.tables.index_table import index_table

RECIPE = Recipe(output=Output.WEBDATASET, label_from_folder=True)
WITH_MODEL = replace(
    RECIPE,
    model="s3://input/model.onnx",
    model_output=ModelOutput.SCORES,
    model_labels=Labels(("wolf", "cat")),
)
FIRST, SECOND = (
    IndexedRun(f"run-{n}", f"2026-11-23T10:0{n}:00Z", "s3://input/full/", recipe.to_document())
    for n, recipe in ((1, RECIPE), (2, WITH_MODEL))
)

WHEN = "2026-11-30T14:05:09+01:00"


def shard(number: int, samples: int, split: str = "train") -> DatasetShard:
    sums = PixelSums(10, (1, 2, 3), (4, 5, 6))
    key = f"dataset/images-{split}-tag-{number:05}-0000.tar"
    return DatasetShard(key, split, samples, 1000, f"{number:064x}", sums)


def sample(run: IndexedRun, of: DatasetShard, position: int, label: int | None = None) -> Entry:
    length = 180 if run is SECOND else 0
    place = Place(of.key, position, 128, 96, 9000, 3000, "ab" * 32, label, length)
    scores = {"wolf": 0.25, "cat": 0.75} if run is SECOND else None
    about = (), "0f" * 8, Original(4000, 3000, WHEN), 7_000_000, scores
    return Entry(f"e-{run.run_id}", None, run, False, place, *about)


def part(entries: dict[str, Entry], *shards: DatasetShard) -> bytes:
    return encode_part(entries, shards)


@given(
    st.dictionaries(
        st.text(min_size=1),
        st.tuples(st.integers(0, 3), st.none() | st.integers(0, 2**62), st.booleans()),
        max_size=12,
    )
)
def test_part_gives_entries_places_and_shards_back(
    drawn: dict[str, tuple[int, int | None, bool]],
) -> None:
    shards = [shard(number, 5) for number in range(4)]
    entries = {
        key: sample(FIRST, shards[number], number, label)
        if is_sample
        else Entry("e", Reason.TRUNCATED, SECOND)
        for key, (number, label, is_sample) in drawn.items()
    }
    index = Index.of_parts([("index/1", part(entries, *shards))])
    assert index.entries == entries
    assert index.shards == {item.key: item for item in shards}
    assert Index.of_parts([("index/2", index.encode())]).entries == entries
    assert index.encode() == part(entries, *shards)


def test_part_from_before_datasets_is_read() -> None:
    index = Index.of_parts([("index/1", part({"a.jpg": Entry("e", None, FIRST)}))])
    assert index.entries["a.jpg"].place is None
    assert index.shards == {}


def test_sample_that_a_later_run_replaced_is_superseded_whatever_order_parts_come_in() -> None:
    old, new = shard(0, 3), shard(1, 1)
    parts = [
        ("1", part({key: sample(FIRST, old, place) for place, key in enumerate("abc")}, old)),
        ("2", part({"b": sample(SECOND, new, 0), "c": Entry("e", Reason.CORRUPT, SECOND)}, new)),
    ]
    for order in (parts, parts[::-1]):
        index = Index.of_parts(order)
        assert index.living_samples() == {old.key: 1, new.key: 1}
        assert index.superseded_samples() == {old.key: 2}


def test_pruned_sample_is_superseded() -> None:
    old = shard(0, 1)
    parts = [
        ("1", part({"a": sample(FIRST, old, 0)}, old)),
        ("2", part({"a": Entry("", None, SECOND, is_pruned=True)})),
    ]
    index = Index.of_parts(parts)
    assert (index.entries, index.superseded_samples()) == ({}, {old.key: 1})


@pytest.mark.parametrize("body", [b"", b"no gzip", part({"a": Entry("e", None, FIRST)})[:-12]])
def test_torn_part_is_refused(body: bytes) -> None:
    with pytest.raises(DocumentError):
        Index.of_parts([("index/1", body)])


def test_rows_of_a_part_are_not_all_held_beside_what_is_made_of_them() -> None:
    of = shard(0, 20_000)
    body = part({f"{n:06}.jpg": sample(FIRST, of, n) for n in range(20_000)}, of)
    tracemalloc.start()
    try:
        index = Index.of_parts([("index/1", body)])
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(index.entries) == 20_000
    assert peak < 1.5 * held


def rows_of(body: bytes) -> list[dict[str, object]]:
    table = read_parquet(io.BytesIO(body)).read_all()
    columns = {name: table.column(name).to_pylist() for name in table.schema.names}
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_table_has_a_row_for_each_object_in_key_order() -> None:
    train, test = shard(0, 1), shard(1, 1, "test")
    gone = IndexedRun("run-0", "2025", "s3://input/full/", {"field_of_old": 1})
    index = Index(
        {
            "cats/b.jpg": sample(FIRST, train, 0, label=7),
            "cats/a.jpg": sample(SECOND, test, 0),
            "dogs/c.jpg": Entry("e", Reason.TRUNCATED, gone),
        },
        {train.key: train, test.key: test},
    )
    rows = sorted(index.entries.items())
    body = index_table(rows, index.shards)
    assert body == index_table(rows, dict(reversed(index.shards.items())))
    first, second, third = rows_of(body)
    assert first | {"source_key": "cats/b.jpg"} == {
        "source_key": "cats/b.jpg",
        "source": "s3://input/full/",
        "etag": "e-run-2",
        "recipe": WITH_MODEL.digest,
        "run_id": "run-2",
        "shard": test.key,
        "position": 0,
        "split": "test",
        "label": None,
        "width": 128,
        "height": 96,
        "image_bytes": 9000,
        "edge_bytes": 3000,
        "sha256": "ab" * 32,
        "reason": None,
        "columns": None,
        "fingerprint": "0f" * 8,
        "source_bytes": 7_000_000,
        "source_width": 4000,
        "source_height": 3000,
        "taken": WHEN,
        "predicted": "cat",
        "score": None,
        "scores": '{"wolf": 0.25, "cat": 0.75}',
    }
    assert (second["source_key"], second["split"], second["label"]) == ("cats/b.jpg", "train", 7)
    assert (third["shard"], third["reason"], third["recipe"]) == (None, "truncated", None)
    assert (third["fingerprint"], third["source_bytes"], third["taken"]) == (None, None, None)
    assert {second["scores"], second["predicted"], second["score"]} == {None}


def test_table_has_the_only_score_and_those_without_labels() -> None:
    entries = [
        (name, sample(FIRST, shard(0, 1), 0)._replace(scores=scores))
        for name, scores in (("a", [0.5]), ("b", [0.25, 0.5]), ("c", {"7": 0.5, "9": 0.25}))
    ]
    rows = rows_of(index_table(entries, {shard(0, 1).key: shard(0, 1)}))
    assert [(row["predicted"], row["score"], row["scores"]) for row in rows] == [
        (None, 0.5, "[0.5]"),
        (None, None, "[0.25, 0.5]"),
        (None, None, '{"7": 0.5, "9": 0.25}'),
    ]


def test_table_of_nothing_is_a_table() -> None:
    assert rows_of(index_table([], {})) == []


def test_table_of_more_than_a_batch_loses_no_row() -> None:
    of = shard(0, 25_000)
    index = Index({f"{n:06}": sample(FIRST, of, n) for n in range(25_000)}, {of.key: of})
    rows = rows_of(index_table(index.entries.items(), index.shards))
    assert [row["position"] for row in rows] == list(range(25_000))


def test_attempt_that_was_given_up_supersedes_no_sample() -> None:
    old = shard(0, 1)
    parts = [
        ("1", part({"a": sample(FIRST, old, 0)}, old)),
        ("2", part({"a": Entry("e2", Reason.JOB_FAILED, SECOND)})),
    ]
    for order in (parts, parts[::-1]):
        index = Index.of_parts(order)
        assert index.superseded_samples() == {}
        assert index.entries["a"].etag == "e-run-1", "so that what has changed is done again"


@pytest.mark.parametrize("reason", [Reason.CHANGED, Reason.GONE])
@pytest.mark.parametrize("is_packed", [True, False])
def test_object_that_was_not_read_supersedes_no_result(reason: Reason, is_packed: bool) -> None:
    old = shard(0, 1)
    done = sample(FIRST, old, 0) if is_packed else Entry("e-run-1", None, FIRST)
    parts = [
        ("1", part({"a": done}, old)),
        ("2", part({"a": Entry("e2", reason, SECOND)})),
    ]
    for order in (parts, parts[::-1]):
        assert Index.of_parts(order).entries["a"] == done


def test_object_that_was_not_read_counts_over_nothing_else() -> None:
    rejected, changed = Entry("e1", Reason.CORRUPT, FIRST), Entry("e2", Reason.CHANGED, SECOND)
    pruned = Entry("", None, FIRST, is_pruned=True)
    for before in (rejected, pruned):
        parts = [("1", part({"a": before})), ("2", part({"a": changed}))]
        assert Index.of_parts(parts).entries["a"] == changed


def test_result_that_was_overwritten_is_so_in_whatever_order_parts_come() -> None:
    rows = [Entry("e", None, FIRST), Entry("e", Reason.OVERWRITTEN, FIRST)]
    for order in (rows, rows[::-1]):
        parts = [(str(place), part({"a": row})) for place, row in enumerate(order)]
        assert Index.of_parts(parts).entries["a"].reason is Reason.OVERWRITTEN
        again = Entry("e", None, SECOND)
        assert Index.of_parts([*parts, ("3", part({"a": again}))]).entries["a"] == again
