"""A run that is planned slice by slice is the run that is planned at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagemill_app import stores
from imagemill_app.ingest.spent import Spent
from imagemill_app.ingest.uploads import Upload, group_of
from imagemill_app.refusal import RunRefused
from imagemill_app.results.planned_shards import planned_shards
from imagemill_app.stores import StoreAt, list_keys, read_bytes, write_bytes
from imagemill_contract import keys
from imagemill_contract.document_parts.lines import decode_lines
from imagemill_contract.documents import decode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_dataset.stored_index import read_index
from tests.helpers.run_steps import INPUT, OUTPUT, SETTINGS, Worker, plan, report

BUCKET = Location(f"s3://{OUTPUT}")
SOURCE = f"s3://{INPUT}/full/"
# Names of which some collide, lie in each other's folders, or are no pictures.
COLLIDING = "a|a.jpg|a.jpg.jpg|a b|a-c.png|a/x|a/x.jpg|a/x.jpg.png|b|b.jpg|b.png"
NAMES = st.sampled_from([*COLLIDING.split("|"), "c.txt", "d/1.jpg", "e"])
SUMS = ("objects", "bytes", "refused", "deleted", "to_do", "done", "ignored")


def put(names: dict[str, bytes]) -> None:
    client = boto3.client("s3")
    for name, body in names.items():
        client.put_object(Bucket=INPUT, Key=f"full/{name}", Body=body)


def empty(bucket: str) -> None:
    location = Location(f"s3://{bucket}")
    StoreAt(location).remove(list_keys(location, ""))


def sums(run: dict[str, Any]) -> dict[str, Any]:
    return {name: run[name] for name in SUMS}


def planned_keys(run: dict[str, Any]) -> list[str]:
    output = Location.parse(run["output"], "output")
    return [item.key for shard in planned_shards(output, run["run_id"]) for item in shard.objects]


def refused_keys(run: dict[str, Any]) -> list[str]:
    output = Location.parse(run["output"], "output")
    bodies = [read_bytes(output, keys.refused_key(run["run_id"], n)) for n in run["slices"]]
    return sorted(row.key for body in bodies for row in decode_outcomes(body)[1])


def deleted_rows(run: dict[str, Any]) -> list[dict[str, object]]:
    output = Location.parse(run["output"], "output")
    folder = keys.run_folder(run["run_id"])
    names = [key for key in list_keys(output, folder) if key.startswith(folder + "deleted")]
    rows = [row for key in names for row in decode_lines("deleted", read_bytes(output, key))[1]]
    return sorted(rows, key=lambda row: str(row["key"]))


def whole_and_sliced(request: dict[str, Any], most_objects: int) -> list[dict[str, Any]]:
    """The same run, planned at once and in slices of at most so many objects."""
    whole = plan(request, "whole", 2)
    StoreAt(BUCKET).remove([keys.open_run_key("whole")])
    return [whole, plan(request, "sliced", 2, replace(SETTINGS, slice_objects=most_objects))]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_union_of_slices_is_the_work_of_a_single_pass(
    aws: dict[str, Any], data: st.DataObject
) -> None:
    empty(INPUT)
    empty(OUTPUT)
    earlier = data.draw(st.sets(NAMES, min_size=1))
    put({name: b"1" for name in {"always.jpg", *earlier}})
    run = plan({"source": SOURCE})
    Worker(run).finish()
    report(run)
    gone = [f"full/{name}" for name in sorted(earlier) if data.draw(st.booleans())]
    StoreAt(Location(f"s3://{INPUT}")).remove(gone)
    bodies = st.sampled_from([b"1", b"22"])
    put(data.draw(st.dictionaries(NAMES, bodies)))
    lost = [key for key in list_keys(BUCKET, "edges/") if data.draw(st.booleans())]
    StoreAt(BUCKET).remove(lost)

    request = {
        "source": SOURCE,
        "full": data.draw(st.booleans()),
        "recipe": {"drop_duplicates": data.draw(st.booleans())},
    }
    whole, sliced = whole_and_sliced(request, data.draw(st.integers(1, 6)))
    assert sums(sliced) == sums(whole)
    assert planned_keys(sliced) == planned_keys(whole)
    assert refused_keys(sliced) == refused_keys(whole)
    assert deleted_rows(sliced) == deleted_rows(whole)


def names_of(count: int) -> list[str]:
    return [f"{number % 3}/{number:02}.jpg" for number in range(count)]


def test_slices_of_a_folder_are_those_of_a_single_pass(aws: dict[str, Any], tmp_path: Path) -> None:
    for name in [*names_of(9), "x", "x.jpg", "notes.txt", ".hidden"]:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    photos, out = (Location.of_folder(PurePosixPath(tmp_path / name)) for name in ("photos", "out"))
    request = {"source": str(photos), "output": str(out)}
    whole = plan(request, "whole")
    StoreAt(out).remove([keys.open_run_key("whole")])
    sliced = plan(request, "sliced", settings=replace(SETTINGS, slice_objects=4))
    assert len(sliced["slices"]) == 3
    assert (sums(sliced), planned_keys(sliced)) == (sums(whole), planned_keys(whole))
    assert refused_keys(sliced) == refused_keys(whole) == ["x.jpg"]
    Worker(sliced).finish()
    assert report(sliced).verdict == "succeeded"
    assert list_keys(out, keys.DRAFTS) == []


FOUR = replace(SETTINGS, slice_objects=4)


def test_report_and_index_of_slices_are_those_of_the_whole(aws: dict[str, Any]) -> None:
    put({name: name.encode() for name in [*names_of(11), "0/00"]})
    found = []
    for number, most_objects in enumerate((100, 4)):
        run = plan({"source": SOURCE}, settings=replace(SETTINGS, slice_objects=most_objects))
        assert len(run["slices"]) == (1, 3)[number]
        worker = Worker(run)
        worker.finish()
        shard = worker.shards[-1]
        bad = Outcome(shard.objects[-1].key, Status.REJECTED, Reason.TRUNCATED, "It is cut.")
        rows = [worker.written(shard, Stage.RESIZE, item) for item in shard.objects]
        worker.put_outcomes(shard, Stage.RESIZE, [*rows[:-1], bad])
        verdict = report(run)
        document = json.loads(read_bytes(BUCKET, keys.report_key(run["run_id"])))
        entries = read_index(StoreAt(BUCKET)).entries
        found.append((verdict.stages, verdict.sentence, document["problems"], entries))
        assert plan({"source": SOURCE}, "again", 2, FOUR)["objects"] == 0
        empty(OUTPUT)
    assert found[0][1:] == found[1][1:]
    assert found[0][0] == found[1][0]


@pytest.mark.parametrize("limit", [1, 5, 9, 40])
def test_limit_is_of_the_run_and_not_of_a_slice(aws: dict[str, Any], limit: int) -> None:
    put({name: b"1" for name in [*names_of(11), "0/notes.txt"]})
    whole, sliced = whole_and_sliced({"source": SOURCE, "limit": limit}, 4)
    assert planned_keys(sliced) == planned_keys(whole)
    assert sliced["objects"] == min(limit, 11)


@pytest.mark.parametrize("limit", [None, 5])
def test_manifest_of_many_slices_gives_the_work_of_a_single_pass_in_whatever_order_it_names(
    aws: dict[str, Any], limit: int | None
) -> None:
    names = [*names_of(11), "0/x", "0/x.jpg", "0/notes.txt"]
    put({name: b"12" for name in names})
    named = [*reversed(names), "gone.jpg", names[0]]
    lines = "".join(f"{json.dumps({'key': f'full/{name}'})}\n" for name in named)
    aws["s3"].put_object(Bucket=INPUT, Key="list.jsonl", Body=lines.encode())
    request = {"source": SOURCE, "manifest": f"s3://{INPUT}/list.jsonl"}
    whole, sliced = whole_and_sliced(request | ({"limit": limit} if limit else {}), 4)
    assert (sums(sliced), planned_keys(sliced)) == (sums(whole), planned_keys(whole))
    assert refused_keys(sliced) == refused_keys(whole)
    assert "full/gone.jpg" in refused_keys(sliced)
    assert sliced["ignored"]["named twice"] == 1


def test_dry_run_of_many_slices_tells_the_same_and_writes_no_shard(aws: dict[str, Any]) -> None:
    put({name: b"12" for name in names_of(11)})
    request = {"source": SOURCE, "dry_run": True}
    assert sums(plan(request, settings=FOUR)) == sums(plan(request))
    assert {key.split("/")[0] for key in list_keys(BUCKET, "")} == {"drafts"}


def test_classes_of_many_slices_have_the_numbers_of_a_single_pass(aws: dict[str, Any]) -> None:
    put({name: b"1" for name in [*names_of(11), "no-class.jpg"]})
    recipe = {"output": "webdataset", "label_from_folder": True}
    run = plan({"source": SOURCE, "recipe": recipe}, settings=FOUR)
    assert len(run["slices"]) == 3
    labels = [shard.labels for shard in planned_shards(BUCKET, run["run_id"])]
    assert {name: number for part in labels for name, number in part.items()} == {
        "0": 0,
        "1": 1,
        "2": 2,
    }
    assert refused_keys(run) == ["full/no-class.jpg"]


def test_source_of_many_slices_without_a_picture_is_refused(aws: dict[str, Any]) -> None:
    put({f"{number}.txt": b"1" for number in range(9)})
    with pytest.raises(RunRefused, match=r"there are no pictures .*9 not a picture by its name"):
        plan({"source": SOURCE}, settings=FOUR)


def test_number_of_shards_is_for_runs_of_one_slice(aws: dict[str, Any]) -> None:
    put({name: b"1" for name in names_of(11)})
    with pytest.raises(RunRefused, match="shards: 3 is not allowed for more than 4 objects"):
        plan({"source": SOURCE, "shards": 3}, settings=FOUR)


def test_many_deleted_sources_are_slices_of_their_own(aws: dict[str, Any]) -> None:
    put({name: b"1" for name in names_of(11)})
    run = plan({"source": SOURCE})
    Worker(run).finish()
    report(run)
    StoreAt(Location(f"s3://{INPUT}")).remove([f"full/{name}" for name in names_of(11)[1:]])
    again = plan({"source": SOURCE, "prune": True}, "again", 2, FOUR)
    assert (again["deleted"], again["done"]) == (10, {"unchanged": 1})
    assert len(again["slices"]) == 3
    report(again)
    assert list(read_index(StoreAt(BUCKET)).entries) == ["0/00.jpg"]
    assert sorted(list_keys(BUCKET, "resized/")) == ["resized/0/00.jpg"]


def test_uploads_of_a_large_window_are_planned_in_slices(aws: dict[str, Any]) -> None:
    window = "20261123T101500Z-60s"
    source = Location(f"s3://{INPUT}", "full/")
    put({name: b"1" for name in names_of(11)})
    group = group_of([Upload(INPUT, f"full/{name}", "e", 5, "01") for name in names_of(11)], source)
    assert group is not None
    write_bytes(BUCKET, keys.group_key(window, group.rows), group.document(Spent()))
    run = plan({"window": window}, f"upload-{window}", settings=FOUR)
    assert (len(run["slices"]), run["objects"]) == (3, 11)
    Worker(run).finish()
    assert report(run).verdict == "succeeded"


def contents() -> dict[str, bytes]:
    return {key: read_bytes(BUCKET, key) for key in list_keys(BUCKET, "")}


class KilledError(Exception):
    pass


class DyingStore:
    """A store of which one of the next writes never comes."""

    def __init__(self, store: Any, step: int) -> None:
        self._store, self._left = store, step

    def put(self, *args: Any, **options: Any) -> Any:
        self._left -= 1
        if not self._left:
            raise KilledError
        return self._store.put(*args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@contextmanager
def dying_at(step: int) -> Iterator[None]:
    """Every write goes through a store that dies once."""
    real = stores.store_of
    dying = DyingStore(real(BUCKET.root), step)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores, "store_of", lambda root: dying if root == BUCKET.root else real(root))
        with pytest.raises(KilledError):
            yield


@pytest.mark.parametrize("step", range(1, 10))
def test_planning_that_is_killed_and_repeated_gives_the_same_bytes(
    aws: dict[str, Any], step: int
) -> None:
    put({name: b"1" for name in names_of(7)})
    plan({"source": SOURCE}, settings=FOUR)
    expected = contents()
    assert len(expected) == 9
    empty(OUTPUT)
    with dying_at(step):
        plan({"source": SOURCE}, settings=FOUR)
    assert keys.plan_key("run-1") not in contents()
    plan({"source": SOURCE}, settings=FOUR)
    assert contents() == expected


@pytest.mark.parametrize("step", range(1, 8))
def test_aggregation_that_is_killed_and_repeated_gives_the_same_bytes(
    aws: dict[str, Any], step: int
) -> None:
    put({name: b"1" for name in names_of(7)})
    run = plan({"source": SOURCE}, settings=FOUR)
    Worker(run).finish()
    before = contents()
    report(run)
    expected = contents()
    empty(OUTPUT)
    for key, body in before.items():
        write_bytes(BUCKET, key, body)
    with dying_at(step):
        report(run)
    report(run)
    assert contents() == expected


def test_what_is_left_out_is_counted_also_where_deleted_sources_cut_a_slice(
    aws: dict[str, Any],
) -> None:
    gone = ["d/1.jpg", "e.jpg"]
    put(dict.fromkeys(["a.jpg", "b.txt", "c.txt", "z.txt", *gone], b"1"))
    run = plan({"source": SOURCE})
    Worker(run).finish()
    report(run)
    StoreAt(Location(f"s3://{INPUT}")).remove([f"full/{name}" for name in gone])
    for most_objects in (1, 2, 3):
        whole, sliced = whole_and_sliced({"source": SOURCE}, most_objects)
        assert sums(sliced) == sums(whole)
