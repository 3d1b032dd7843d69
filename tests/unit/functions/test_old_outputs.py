"""What an earlier version has written is read as it is: the next run finds nothing to do.

`fixtures/outputs-of-49f0978.zip` holds the pictures of a source, one of them broken, and
the outputs of two runs over them that the functions and the worker of commit 49f0978 have made.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import StoreAt
from imagemill_contract.keys import DATASET, INDEX_TABLE
from imagemill_contract.locations import Location
from imagemill_dataset.stored_index import StoredIndex
from tests.helpers.run_steps import INPUT, OUTPUT, SETTINGS, plan, report

OLD_OUTPUTS = Path(__file__).parent / "fixtures" / "outputs-of-49f0978.zip"
# At that time edges had these thresholds.
RECIPE = {"size": 16, "blur": 0, "canny_low": 100, "canny_high": 200}
ONE_SLICE, MANY_SLICES = SETTINGS, replace(SETTINGS, slice_objects=2)

settings = pytest.mark.parametrize(
    "settings", [ONE_SLICE, MANY_SLICES], ids=["one slice", "many slices"]
)


def put(s3: Any, output: str) -> dict[str, Any]:
    """Put the source and an output into their buckets; the request that made it, today's way."""
    with ZipFile(OLD_OUTPUTS) as outputs:
        for name in outputs.namelist():
            folder, _, key = name.partition("/")
            if bucket := {"source": INPUT, output: OUTPUT}.get(folder):
                s3.put_object(Bucket=bucket, Key=key, Body=outputs.read(name))
    return {"source": f"s3://{INPUT}/full/", "recipe": RECIPE | {"output": output}}


@settings
@pytest.mark.parametrize("output", ["files", "webdataset"])
def test_next_run_over_an_old_output_finds_nothing_to_do_and_keeps_its_index(
    aws: dict[str, Any], settings: PlanRunSettings, output: str
) -> None:
    request, store = put(aws["s3"], output), StoreAt(Location(f"s3://{OUTPUT}"))
    before = dict(StoredIndex.opened(store).rows())
    run = plan(request, "next", settings=settings)
    assert (run["objects"], run["to_do"]) == (0, {})
    assert run["done"] == {"unchanged": 6, "rejected by an earlier run": 1}
    assert report(run).verdict == "succeeded"
    assert dict(StoredIndex.opened(store).rows()) == before
    assert len(before) == 7


@settings
def test_new_picture_beside_an_old_dataset_is_added_to_its_table_which_becomes_a_folder(
    aws: dict[str, Any], settings: PlanRunSettings
) -> None:
    request, store = put(aws["s3"], "webdataset"), StoreAt(Location(f"s3://{OUTPUT}"))
    aws["s3"].put_object(Bucket=INPUT, Key="full/dogs/new.jpg", Body=b"neither a picture")
    run = plan(request, "next", settings=settings)
    assert (run["objects"], run["to_do"]) == (1, {"new": 1})
    assert INDEX_TABLE in store.keys(DATASET)
    report(run)
    tables = [key for key in store.keys(DATASET) if key.startswith(INDEX_TABLE)]
    assert tables
    assert all(key.startswith(f"{INDEX_TABLE}/") for key in tables)
    assert len(dict(StoredIndex.opened(store).rows())) == 8
