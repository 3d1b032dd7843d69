from __future__ import annotations

import math
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.fields import Shares
from imagemill_contract.recipe import Output, Recipe, SplitBy
from imagemill_dataset.names import (
    EXTENSIONS,
    class_of,
    compact_tag,
    dataset_shard_key,
    in_order,
    is_dataset_shard,
    is_shard_of_run,
    sample_key,
    shard_tag,
    source_name,
    split_in,
    split_of,
)

# How readers of WebDataset take a member's name apart.
BASE_AND_EXTENSION = re.compile(r"^((?:.*/|)[^.]+)[.]([^/]*)$")

names = st.text(min_size=1) | st.text("ab._%/ é", min_size=1, max_size=8)
split_names = st.sampled_from(["train", "validation", "test", "extra"])
shares = st.dictionaries(split_names, st.integers(1, 50), min_size=1)


def split_from(parts: dict[str, int]) -> tuple[tuple[str, float], ...]:
    total = sum(parts.values())
    return Shares().read({name: part / total for name, part in parts.items()})


@given(st.sets(names, max_size=20))
def test_no_two_sources_have_the_same_sample_key(relatives: set[str]) -> None:
    assert len({sample_key(relative) for relative in relatives}) == len(relatives)


@given(names)
def test_sample_key_gives_the_source_back_and_has_no_dot(relative: str) -> None:
    key = sample_key(relative)
    assert source_name(key) == relative
    assert "." not in key
    assert key.isascii()


@given(
    names.filter(lambda name: not name.endswith("/")), st.sampled_from(["jpg", "edge.png", "json"])
)
def test_readers_of_webdataset_find_the_key_before_the_extension(
    relative: str, extension: str
) -> None:
    match = BASE_AND_EXTENSION.match(f"{sample_key(relative)}.{extension}")
    assert match is not None
    assert match.groups() == (sample_key(relative), extension)


@given(st.lists(names, unique=True, max_size=20), names, shares)
def test_split_of_a_source_does_not_depend_on_others(
    others: list[str], relative: str, parts: dict[str, int]
) -> None:
    split = split_from(parts)
    alone = split_of(relative, split)
    assert alone in parts
    assert {name: split_of(name, split) for name in [*others, relative]}[relative] == alone


@pytest.mark.parametrize(
    "parts", [{"train": 9, "validation": 1}, {"train": 80, "test": 15, "extra": 5}, {"train": 1}]
)
def test_splits_have_their_shares_within_sampling_error(parts: dict[str, int]) -> None:
    split, count = split_from(parts), 20_000
    counts = Counter(split_of(f"full/{number:06}.jpg", split) for number in range(count))
    for name, share in split:
        deviation = math.sqrt(count * share * (1 - share))
        assert abs(counts[name] - count * share) <= 4 * deviation


def test_larger_first_split_keeps_what_it_had() -> None:
    keys = [f"{number}.jpg" for number in range(2000)]
    small, large = ((("a", share), ("b", 1 - share)) for share in (0.25, 0.5))
    first = {key for key in keys if split_of(key, small) == "a"}
    assert first < {key for key in keys if split_of(key, large) == "a"}


@given(st.lists(names, unique=True, max_size=30), st.integers(0, 2**63 - 1), st.randoms())
def test_shuffled_order_is_a_permutation_that_depends_on_the_seed_only(
    relatives: list[str], seed: int, random: object
) -> None:
    recipe = Recipe(output=Output.WEBDATASET, shuffle=True, seed=seed)
    ordered = in_order(relatives, recipe)
    assert sorted(ordered) == sorted(relatives)
    mixed = list(relatives)
    random.shuffle(mixed)  # type: ignore[attr-defined] # hypothesis types it as Random
    assert in_order(mixed, recipe) == ordered
    assert in_order(relatives, Recipe(output=Output.WEBDATASET)) == relatives


def test_seeds_draw_different_orders() -> None:
    keys = [f"{number}.jpg" for number in range(100)]
    orders = [
        in_order(keys, Recipe(output=Output.PARQUET, shuffle=True, seed=seed)) for seed in range(10)
    ]
    assert len({tuple(order) for order in orders}) == 10


@pytest.mark.parametrize(
    ("relative", "name"),
    [("cats/a.jpg", "cats"), ("cats/old/a.jpg", "cats"), ("a.jpg", None), ("/a.jpg", None)],
)
def test_class_is_the_first_folder(relative: str, name: str | None) -> None:
    assert class_of(relative) == name


@given(st.text("abc-.0", min_size=1, max_size=9), st.integers(0, 10**6), st.integers(0, 10**5))
def test_dataset_shard_is_known_as_that_of_its_run(run_id: str, shard: int, number: int) -> None:
    for output in EXTENSIONS:
        tag = shard_tag(run_id, f"{shard:05}")
        key = dataset_shard_key("images", "train", tag, number, output)
        assert is_shard_of_run(key, run_id)
        assert not is_shard_of_run(key, f"{run_id}x")
        assert not is_shard_of_run(key.removeprefix("dataset/"), run_id)


@pytest.mark.parametrize(
    ("key", "is_ours"),
    [
        (f"dataset/images-train-{shard_tag('run-1', '00000')}-0000.tar", True),
        (f"dataset/a-b-c-{shard_tag('run-1', '100000')}-10000.parquet", True),
        (f"dataset/images-train-{compact_tag(['ab', 'cd'])}-0001.tfrecord", True),
        ("dataset/images.tar", False),
        ("dataset/index.parquet/0123456789abcdef.parquet", False),
        ("dataset/deeper/images-train-0a1b2c3d-00000-0000.tar", False),
        ("resized/images-train-0a1b2c3d-00000-0000.tar", False),
    ],
)
def test_dataset_shard_is_known_by_its_name(key: str, is_ours: bool) -> None:
    assert is_dataset_shard(key) is is_ours


@given(st.lists(names, min_size=1, max_size=20, unique=True), st.text("ab/", max_size=4))
def test_pictures_of_a_folder_are_in_one_split(relatives: list[str], folder: str) -> None:
    split = (("test", 0.5), ("train", 0.5))
    inside = [f"{folder}x/{name.replace('/', '-')}" for name in relatives]
    found = {split_of(name, split, SplitBy.FOLDER) for name in inside}
    assert found == {split_of(f"{folder}x/later.jpg", split, SplitBy.FOLDER)}


def test_folders_are_drawn_by_their_shares() -> None:
    split = (("test", 0.2), ("train", 0.8))
    drawn = [split_of(f"{n}/a.jpg", split, SplitBy.FOLDER) for n in range(2000)]
    assert abs(drawn.count("test") - 400) < 5 * 18  # five standard deviations
    alone = [split_of(f"{n}.jpg", split, SplitBy.FOLDER) for n in range(2000)]
    assert alone == [split_of(f"{n}.jpg", split) for n in range(2000)]


@given(st.sampled_from(list(EXTENSIONS)), st.integers(0, 10**5))
def test_split_of_a_shard_is_in_its_key(output: Output, number: int) -> None:
    tag = shard_tag("run-1", f"{number:05}")
    assert split_in(dataset_shard_key("im_ages", "validation", tag, 0, output)) == "validation"
    compacted = dataset_shard_key("im_ages", "train", compact_tag(["a"]), 0, output)
    assert split_in(compacted) == "train"
