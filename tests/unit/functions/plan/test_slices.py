"""A run that is planned slice by slice is the run that is planned at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagemill_app.results.planned_shards import planned_shards
from imagemill_app.stores import StoreAt, list_keys, read_bytes
from imagemill_contract import keys
from imagemill_contract.documents import decode_lines, decode_outcomes
from imagemill_contract.locations import Location
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
    folder = keys.run_folder(run["run_id"]) + "deleted"
    names = [key for key in list_keys(output, keys.run_folder(run["run_id"])) if folder in key]
    return [
        row for key in sorted(names) for row in decode_lines("deleted", read_bytes(output, key))[1]
    ]


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

    request = {"source": SOURCE, "full": data.draw(st.booleans())}
    whole, sliced = whole_and_sliced(request, data.draw(st.integers(1, 6)))
    assert sums(sliced) == sums(whole)
    assert planned_keys(sliced) == planned_keys(whole)
    assert refused_keys(sliced) == refused_keys(whole)
    assert deleted_rows(sliced) == deleted_rows(whole)
