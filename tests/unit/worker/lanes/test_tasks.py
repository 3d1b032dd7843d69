"""What a job is to do for each object of its shard."""

from __future__ import annotations

import json

import pytest

from imagemill_contract.document_parts.pictures import Rendition
from imagemill_contract.documents import Shard, SourceObject
from imagemill_contract.keys import Stage, stages_before
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import ImageFormat, Output, Recipe
from imagemill_contract.recipe_parts.sizes import Sizes
from imagemill_worker.errors import ArgumentsError
from imagemill_worker.lanes.tasks import Task, later_tasks, resize_tasks

OBJECTS = [
    SourceObject("full/a b.jpg", "e1", 10),
    SourceObject("full/ü/c.png", "e2", 20),
    SourceObject("full/d", "e3", 30),
]
KEYS = [item.key for item in OBJECTS]


def shard(**recipe: object) -> Shard:
    source = Location("s3://in", "full/")
    output = Location("s3://out", "results/")
    return Shard("run-1", "00000", source, output, Recipe(**recipe), OBJECTS)  # type: ignore[arg-type]


def written(key: str, **fields: object) -> Outcome:
    values: dict[str, object] = {"output_key": f"results/resized/{key}", "output_bytes": 7}
    return Outcome(key, Status.WRITTEN, sha256="digest", **{**values, **fields})  # type: ignore[arg-type]


def test_each_object_is_read_as_it_was_planned_and_written_under_its_own_name() -> None:
    tasks = resize_tasks(shard())
    assert tasks == [
        Task("full/a b.jpg", OBJECTS[0], "results/resized/a b.jpg"),
        Task("full/ü/c.png", OBJECTS[1], "results/resized/ü/c.png.jpg"),
        Task("full/d", OBJECTS[2], "results/resized/d.jpg"),
    ]
    of_png = resize_tasks(shard(format=ImageFormat.PNG))
    assert [task.output_key for task in of_png if isinstance(task, Task)] == [
        "results/resized/a b.jpg.png",
        "results/resized/ü/c.png",
        "results/resized/d.png",
    ]


def edge_tasks(resized: list[Outcome], of: Shard | None = None) -> list[Task | Outcome]:
    return later_tasks(Stage.EDGE, of or shard(), {Stage.RESIZE: resized})


def test_edges_are_of_what_was_resized_and_prove_its_digest() -> None:
    tasks = edge_tasks([written(key) for key in KEYS])
    assert tasks[0] == Task(
        "full/a b.jpg",
        SourceObject("results/resized/full/a b.jpg", "", 7),
        "results/edges/a b.jpg.png",
        "digest",
    )


def test_each_size_is_read_and_written_by_itself_below_one_task() -> None:
    of_sizes = shard(sizes=Sizes((64, 512)))
    task = resize_tasks(of_sizes)[0]
    assert isinstance(task, Task)
    assert [one.output_key for one in task.sizes] == [
        "results/resized/512/a b.jpg",
        "results/resized/64/a b.jpg",
    ]
    small = Rendition("results/resized/64/x", 3, 64, 64, "small digest", "", (0, 16, 64, 32))
    rows = [written(key, smaller=(small,)) for key in KEYS]
    edges = edge_tasks(rows, of_sizes)[0]
    assert isinstance(edges, Task)
    (smaller,) = edges.smaller
    assert (edges.output_key, smaller.output_key) == (
        "results/edges/512/a b.jpg.png",
        "results/edges/64/a b.jpg.png",
    )
    assert (smaller.read.key, smaller.read.bytes) == ("results/resized/64/x", 3)
    assert (smaller.digest, smaller.area) == ("small digest", (0, 16, 64, 32))
    assert Task.from_row(json.loads(json.dumps(edges.to_row()))) == edges
    with pytest.raises(ArgumentsError, match="1 of 2 sizes"):
        edge_tasks([written(key) for key in KEYS], of_sizes)


def test_edges_are_looked_for_where_the_picture_lies_within_its_padding() -> None:
    area = (0, 13, 96, 70)
    tasks = edge_tasks([written(key, area=area) for key in KEYS])
    assert [task.area for task in tasks if isinstance(task, Task)] == [area] * 3
    row = json.loads(json.dumps(tasks[0].to_row()))
    assert Task.from_row(row) == tasks[0]


def test_object_that_was_not_resized_is_skipped_in_its_place() -> None:
    rejected = Outcome(KEYS[1], Status.REJECTED, Reason.CORRUPT)
    failed = Outcome(KEYS[2], Status.FAILED, Reason.JOB_FAILED)
    first, second, third = edge_tasks([written(KEYS[0]), rejected, failed])
    assert isinstance(first, Task)
    for key, row in zip(KEYS[1:], (second, third), strict=True):
        assert isinstance(row, Outcome)
        assert (row.key, row.status, row.reason) == (key, Status.SKIPPED, Reason.NO_RESIZED_IMAGE)


def test_a_stage_leaves_out_what_any_stage_before_it_has_not_written() -> None:
    recipe = Recipe(model="s3://b/m.onnx", more_stages=frozenset({"sharpness"}))
    stages = stages_before(Stage.SHARPNESS, recipe)
    before = {stage: [written(key) for key in KEYS] for stage in stages}
    rejected = Outcome(KEYS[1], Status.REJECTED, Reason.NOT_KEPT)
    skipped = Outcome(KEYS[1], Status.SKIPPED, Reason.NO_MODEL_OUTPUT)
    before[Stage.MODEL][1], before[Stage.EDGE][1] = rejected, skipped
    before[Stage.EDGE][2] = Outcome(KEYS[2], Status.FAILED, Reason.JOB_FAILED)
    first, *others = later_tasks(Stage.SHARPNESS, shard(), before)
    assert isinstance(first, Task)
    assert first.output_key == "results/stages/sharpness/a b.jpg.json"
    assert first.smaller == ()
    assert [(row.status, row.reason) for row in others if isinstance(row, Outcome)] == [
        (Status.SKIPPED, Reason.NO_MODEL_OUTPUT),
        (Status.SKIPPED, Reason.NO_EARLIER_RESULT),
    ]


def test_packed_pictures_are_read_at_their_places_and_written_nowhere() -> None:
    packed = shard(output=Output.WEBDATASET)
    assert [task.output_key for task in resize_tasks(packed) if isinstance(task, Task)] == [""] * 3
    tasks = later_tasks(
        Stage.EDGE, packed, {Stage.RESIZE: [written(key) for key in KEYS]}, [[512], [1536], [4096]]
    )
    assert [(task.output_key, task.offset) for task in tasks if isinstance(task, Task)] == [
        ("", 512),
        ("", 1536),
        ("", 4096),
    ]


@pytest.mark.parametrize("keys", [KEYS[:2], [*KEYS, "full/e"], KEYS[::-1], []])
def test_outcomes_of_other_objects_are_refused(keys: list[str]) -> None:
    with pytest.raises(ArgumentsError, match="not those of this shard's objects"):
        edge_tasks([written(key) for key in keys])


def test_task_survives_its_way_to_a_lane() -> None:
    task = Task("full/ü\udcff", SourceObject("a", "e", 3), "out", "digest", 99)
    assert Task.from_row(json.loads(json.dumps(task.to_row()))) == task
