from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.plan import sharding
from imagemill_app.plan.sharding import (
    MAX_SHARD_SECONDS,
    balanced_shards,
    estimated_seconds,
    in_cutting_order,
    shard_count,
)
from imagemill_contract.documents import SourceObject
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset.names import in_order

sizes = st.lists(st.integers(0, 40_000_000_000), max_size=60)
jobs = st.integers(1, 300)
counts = st.none() | st.integers(1, 80)
paths = st.lists(st.text("ab/", min_size=1, max_size=6), min_size=1, max_size=60, unique=True)


def objects_of(byte_counts: list[int]) -> list[SourceObject]:
    return [SourceObject(f"full/{index:06}", "e", size) for index, size in enumerate(byte_counts)]


def seconds_of(shard: list[SourceObject]) -> float:
    return math.fsum(map(estimated_seconds, shard))


@given(sizes, jobs, counts)
def test_every_object_is_in_exactly_one_shard_in_order(
    sizes: list[int], jobs: int, count: int | None
) -> None:
    objects = objects_of(sizes)
    shards = balanced_shards(objects, jobs, min_shard_seconds=30, count=count)
    assert [item for shard in shards for item in shard] == objects
    assert all(shards)


@given(sizes, jobs)
def test_no_shard_is_over_the_cap_unless_it_is_one_object(sizes: list[int], jobs: int) -> None:
    for shard in balanced_shards(objects_of(sizes), jobs, min_shard_seconds=30):
        assert len(shard) == 1 or seconds_of(list(shard)) <= MAX_SHARD_SECONDS + 1e-6


@given(sizes, st.integers(1, 80))
def test_fixed_count_is_honoured_as_far_as_there_are_objects(sizes: list[int], count: int) -> None:
    shards = balanced_shards(objects_of(sizes), 4, min_shard_seconds=30, count=count)
    assert len(shards) == min(count, len(sizes))


@given(paths, jobs, counts)
def test_same_input_gives_the_same_shards(names: list[str], jobs: int, count: int | None) -> None:
    objects = [SourceObject(name, "e", len(name)) for name in sorted(names)]
    first = balanced_shards(objects, jobs, min_shard_seconds=30, count=count)
    assert balanced_shards(list(objects), jobs, min_shard_seconds=30, count=count) == first


@given(st.integers(2, 40), st.integers(0, 2**32), st.integers(200_000, 2_000_000))
def test_shards_of_small_objects_are_balanced(jobs: int, seed: int, size: int) -> None:
    keys = sorted(f"full/{(seed + index) * 2654435761 % 2**32:08x}.jpg" for index in range(4000))
    objects = [SourceObject(key, "e", size + index % 7 * 50_000) for index, key in enumerate(keys)]
    shards = balanced_shards(objects, jobs, min_shard_seconds=0.2)
    seconds = [seconds_of(list(shard)) for shard in shards]
    assert max(seconds) / (math.fsum(seconds) / len(seconds)) <= 1.3


def test_cuts_lie_between_folders_where_there_are_any() -> None:
    objects = [
        SourceObject(f"{folder}/{index:04}.jpg", "e", 900_000)
        for folder in ("cats", "dogs", "owls", "pigs")
        for index in range(1000 if folder != "owls" else 950)
    ]
    shards = balanced_shards(objects, 4, min_shard_seconds=1)
    assert [{item.key.partition("/")[0] for item in shard} for shard in shards] == [
        {"cats"},
        {"dogs"},
        {"owls"},
        {"pigs"},
    ]


def test_cuts_of_hash_names_lie_between_first_characters() -> None:
    keys = sorted(f"full/{index * 2654435761 % 2**32:08x}.jpg" for index in range(20_000))
    shards = balanced_shards(
        [SourceObject(key, "e", 500_000) for key in keys], 16, min_shard_seconds=1
    )
    firsts = [{item.key[len("full/")] for item in shard} for shard in shards]
    assert firsts == [{digit} for digit in "0123456789abcdef"]


@given(st.floats(0, 1e7), st.integers(1, 10_000), st.floats(1, 300))
def test_shard_count_keeps_work_under_the_cap(total: float, jobs: int, least: float) -> None:
    assert total / shard_count(total, jobs, least) <= MAX_SHARD_SECONDS


def test_small_run_is_one_shard_and_large_one_uses_all_jobs() -> None:
    assert shard_count(20, 256, 30) == 1
    assert shard_count(256 * 60, 256, 30) == 256
    assert shard_count(256 * 500, 256, 30) == 512


@given(paths, st.integers(0, 2**63 - 1))
def test_shuffled_objects_are_cut_in_the_order_in_which_jobs_pack_them(
    names: list[str], seed: int
) -> None:
    objects = [SourceObject("full/" + name, "e", len(name)) for name in sorted(names)]
    recipe = Recipe(output=Output.WEBDATASET, shuffle=True, seed=seed)
    dealt = in_cutting_order(objects, "full/", recipe)
    assert [item.key[5:] for item in dealt] == in_order(names, recipe)
    assert sorted(dealt, key=lambda item: item.key) == objects
    assert in_cutting_order(objects, "full/", replace(recipe, shuffle=False, seed=0)) is objects


def test_shuffled_shards_are_fair_samples_of_all_classes() -> None:
    """Each of 20 shards of 10 classes has every class, as often as chance allows."""
    objects = [
        SourceObject(f"full/class-{number}/{name:04}.jpg", "e", 100_000)
        for number in range(10)
        for name in range(1000)
    ]
    recipe = Recipe(output=Output.PARQUET, shuffle=True)
    ordered = in_cutting_order(objects, "full/", recipe)
    for shard in balanced_shards(ordered, 4, min_shard_seconds=30, count=20):
        counts = Counter(item.key.split("/")[1] for item in shard)
        assert len(counts) == 10
        # five standard deviations of a fair draw of 500 among ten
        assert all(abs(count - len(shard) / 10) < 5 * 6.7 for count in counts.values())
    for shard in balanced_shards(objects, 4, min_shard_seconds=30, count=20):
        assert len({item.key.split("/")[1] for item in shard}) <= 2


def test_shard_of_tiny_pictures_has_no_more_objects_than_a_function_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sharding, "MAX_SHARD_OBJECTS", 4)
    objects = [SourceObject(f"{number:02}", "e", 1) for number in range(10)]
    shards = balanced_shards(objects, 1, min_shard_seconds=30)
    assert [len(shard) for shard in shards] == [4, 4, 2]
    assert [item for shard in shards for item in shard] == objects
