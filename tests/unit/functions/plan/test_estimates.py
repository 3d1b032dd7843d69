from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.plan.estimates import estimate
from imagemill_app.request_forecast import requests
from imagemill_contract.keys import Stage

MILLION, MEAN_BYTES = 1_000_000, 670_000
counts = st.integers(0, 10**8)
jobs = st.integers(1, 10_000)


def test_million_photographs_cost_what_their_requests_cost() -> None:
    forecast = estimate(MILLION, MILLION * MEAN_BYTES, 256, 256)
    assert forecast.dollars["get"] == pytest.approx(0.80, rel=0.01)
    assert forecast.dollars["put"] == pytest.approx(10.00, rel=0.01)
    assert 0.02 < forecast.dollars["vcpu"] < 0.2
    assert sum(forecast.dollars.values()) == pytest.approx(11, rel=0.03)


def test_minutes_are_those_of_the_jobs_that_run_at_once() -> None:
    alone = estimate(MILLION, MILLION * MEAN_BYTES, 256, 1)
    together = estimate(MILLION, MILLION * MEAN_BYTES, 256, 256)
    assert (alone.parallel_jobs, together.parallel_jobs) == (1, 256)
    assert alone.minutes / together.minutes == pytest.approx(256, rel=0.01)
    assert 0.5 < together.minutes < 2


def test_job_per_picture_is_dear_and_slow() -> None:
    right, tiny = (estimate(330_000, 220 * 10**9, shards, 256) for shards in (256, 330_000))
    assert tiny.dollars["step_functions"] > 100 * right.dollars["step_functions"]
    assert tiny.minutes > 10 * right.minutes


def test_packed_run_puts_shards_instead_of_pictures() -> None:
    files, packed = (
        estimate(MILLION, MILLION * MEAN_BYTES, 256, 256, packed=is_packed)
        for is_packed in (False, True)
    )
    assert packed.dollars["put"] < files.dollars["put"] / 40
    assert packed.dollars["get"] == pytest.approx(0.4, rel=0.1)
    assert packed.dollars["list"] < files.dollars["list"]
    assert packed.minutes == files.minutes


def test_a_model_costs_a_packed_run_a_few_requests_for_each_shard() -> None:
    without, with_model = (
        requests(5000, 10**8, 7, packed=True, stages=stages, sizes=1)
        for stages in ((Stage.RESIZE, Stage.EDGE), (Stage.RESIZE, Stage.MODEL, Stage.EDGE))
    )
    more = {kind: with_model[kind] - without[kind] for kind in without}
    assert more == {"get": 70, "put": 21, "list": 7}


def test_every_size_is_put_and_no_source_is_read_twice() -> None:
    one, three = (
        estimate(MILLION, MILLION * MEAN_BYTES, 256, 256, stages=tuple(Stage), sizes=sizes)
        for sizes in (1, 3)
    )
    assert three.dollars["put"] / one.dollars["put"] == pytest.approx(8 / 4, rel=0.01)
    assert three.dollars["get"] / one.dollars["get"] == pytest.approx(6 / 4, rel=0.01)
    assert one.minutes < three.minutes < 2 * one.minutes


@given(counts, counts, st.integers(0, 10**6), jobs, st.booleans())
def test_estimate_is_finite_json_whose_parts_add_up(
    objects: int, total_bytes: int, shards: int, max_parallel_jobs: int, packed: bool
) -> None:
    forecast = estimate(objects, total_bytes, shards, max_parallel_jobs, packed=packed)
    document = forecast.to_document()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    dollars = document["dollars"]
    assert isinstance(dollars, dict)
    assert list(dollars) == ["vcpu", "get", "put", "list", "step_functions", "lambda"]
    assert all(amount >= 0 for amount in dollars.values())
    assert document["total_dollars"] == pytest.approx(math.fsum(dollars.values()), abs=1e-5)


@given(counts, counts, st.integers(1, 1000), jobs, st.booleans())
def test_more_pictures_never_cost_less(
    objects: int, total_bytes: int, shards: int, max_parallel_jobs: int, packed: bool
) -> None:
    fewer = estimate(objects, total_bytes, shards, max_parallel_jobs, packed=packed)
    more = estimate(objects + 1000, total_bytes + 1000, shards, max_parallel_jobs, packed=packed)
    assert all(more.dollars[kind] >= fewer.dollars[kind] for kind in fewer.dollars)
    assert more.minutes >= fewer.minutes


def test_nothing_to_do_takes_no_time() -> None:
    forecast = estimate(0, 0, 0, 256)
    assert (forecast.parallel_jobs, forecast.minutes, forecast.dollars["vcpu"]) == (0, 0, 0)
