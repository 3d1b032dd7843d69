from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.planning import (
    MAX_SHARD_SECONDS,
    balanced_shards,
    estimated_seconds,
    shard_count,
    without_collisions,
)
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import Stage, output_key
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import ImageFormat

sizes = st.lists(st.integers(0, 10**9), max_size=200)


def objects_of(byte_counts: list[int]) -> list[SourceObject]:
    return [SourceObject(f"full/{index:06}", "e", size) for index, size in enumerate(byte_counts)]


@given(sizes, st.integers(1, 300))
def test_every_object_is_in_exactly_one_shard_in_order(sizes: list[int], jobs: int) -> None:
    objects = objects_of(sizes)
    shards = balanced_shards(objects, jobs)
    assert [item for shard in shards for item in shard] == objects
    assert all(shards)


@given(sizes, st.integers(1, 300))
def test_same_input_gives_the_same_shards(sizes: list[int], jobs: int) -> None:
    assert balanced_shards(objects_of(sizes), jobs) == balanced_shards(objects_of(sizes), jobs)


def test_shards_of_small_objects_are_balanced() -> None:
    objects = objects_of([500_000 + index % 7 * 50_000 for index in range(100_000)])
    seconds = [sum(map(estimated_seconds, shard)) for shard in balanced_shards(objects, 16)]
    assert max(seconds) / (math.fsum(seconds) / len(seconds)) <= 1.3


@given(st.floats(0, 1e7), st.integers(1, 10_000))
def test_shard_count_keeps_work_under_the_cap(total_seconds: float, jobs: int) -> None:
    assert total_seconds / shard_count(total_seconds, jobs) <= MAX_SHARD_SECONDS


def test_small_run_is_one_shard_and_large_one_uses_all_jobs() -> None:
    assert shard_count(20, 256) == 1
    assert shard_count(256 * 60, 256) == 256
    assert shard_count(256 * 600, 256) == 512


def test_object_whose_output_would_overwrite_another_is_refused() -> None:
    objects = [SourceObject(f"full/{name}", "e", 1) for name in ("a", "a.jpg", "a.jpg.png", "b")]
    result = without_collisions(objects, "full/", ImageFormat.JPG)
    assert [item.key for item in result.kept] == ["full/a", "full/a.jpg.png", "full/b"]
    assert [(item.key, item.reason) for item in result.refused] == [
        ("full/a.jpg", Reason.KEY_COLLISION)
    ]
    assert "full/a" in result.refused[0].detail


@given(st.sets(st.text("ab.jpgn", min_size=1, max_size=7)), st.sampled_from(ImageFormat))
def test_kept_objects_never_share_an_output_key(names: set[str], image_format: ImageFormat) -> None:
    objects = [SourceObject(name, "e", 1) for name in sorted(names)]
    result = without_collisions(objects, "", image_format)
    outputs = [output_key(stage, item.key, image_format) for stage in Stage for item in result.kept]
    assert len(outputs) == len(set(outputs))
    assert len(result.kept) + len(result.refused) == len(objects)
