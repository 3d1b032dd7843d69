from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract import keys
from imagemill_contract.errors import ContractError
from imagemill_contract.index_keys import (
    adopted_index_key,
    compacted_index_key,
    index_key,
    merged_index_key,
)
from imagemill_contract.keys import Stage
from imagemill_contract.recipe import Recipe


@pytest.mark.parametrize(
    ("source", "prefix", "resized", "edges"),
    [
        ("full/ab.jpg", "full/", "resized/ab.jpg", "edges/ab.jpg.png"),
        ("full/x y/c.png", "full/", "resized/x y/c.png.jpg", "edges/x y/c.png"),
        ("full/a+b%20c.jpg", "full/", "resized/a+b%20c.jpg", "edges/a+b%20c.jpg.png"),
        ("日本/é.jpeg", "", "resized/日本/é.jpeg.jpg", "edges/日本/é.jpeg.png"),
        ("full/a.b.c", "full/", "resized/a.b.c.jpg", "edges/a.b.c.png"),
        ("full/no_extension", "full/", "resized/no_extension.jpg", "edges/no_extension.png"),
    ],
)
def test_output_key_appends_the_extension_unless_it_is_there(
    source: str, prefix: str, resized: str, edges: str
) -> None:
    relative = keys.relative_key(source, prefix)
    assert keys.output_key(Stage.RESIZE, relative, Recipe()) == resized
    assert keys.output_key(Stage.EDGE, relative, Recipe()) == edges


def test_results_in_several_sizes_lie_in_a_folder_for_each_and_those_of_a_model_do_not() -> None:
    recipe = Recipe.from_document({"sizes": [64, 512], "model": "s3://models/m.onnx"})
    assert [keys.output_keys(stage, "x/a.jpg", recipe) for stage in Stage] == [
        ["resized/512/x/a.jpg", "resized/64/x/a.jpg"],
        ["model_output/x/a.jpg.npy"],
        ["edges/512/x/a.jpg.png", "edges/64/x/a.jpg.png"],
        ["stages/sharpness/x/a.jpg.json"],
    ]
    for stage in Stage:
        for of_size in keys.recipes_of(stage, recipe):
            key = keys.output_key(stage, "x/a.jpg", of_size)
            assert "x/a.jpg" in keys.ordinary_sources(stage, key, of_size)
    (alone,) = keys.output_keys(Stage.RESIZE, "a.jpg", Recipe.from_document({"sizes": [64]}))
    assert alone == "resized/64/a.jpg"


@given(st.text(min_size=1), st.text())
def test_relative_key_undoes_the_prefix(relative: str, prefix: str) -> None:
    assert keys.relative_key(prefix + relative, prefix) == relative


@pytest.mark.parametrize("key", ["other/a.jpg", "full/"])
def test_key_outside_the_source_prefix_is_refused(key: str) -> None:
    with pytest.raises(ContractError, match="does not lie under"):
        keys.relative_key(key, "full/")


@pytest.mark.parametrize("run_id", ["", "a/b", "..", "x" * 81, "a b", "ü"])
def test_run_id_that_cannot_be_a_folder_is_refused(run_id: str) -> None:
    with pytest.raises(ContractError, match="Execution name"):
        keys.plan_key(run_id)


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_shard_ids_up_to_five_digits_sort_as_their_indices(first: int, second: int) -> None:
    ids = keys.shard_id_of(first), keys.shard_id_of(second)
    if len(ids[0]) == len(ids[1]):
        assert (ids[0] < ids[1]) == (first < second)


def test_same_group_content_has_the_same_key() -> None:
    assert keys.group_key("w", b"content") == keys.group_key("w", b"content")
    assert keys.group_key("w", b"content") != keys.group_key("w", b"other")


def test_index_parts_sort_by_the_time_of_their_runs() -> None:
    first = index_key("2026-11-23T09:59:59.999Z", "z")
    last = index_key("2026-11-23T10:00:00.000Z", "a")
    assert sorted([last, first]) == [first, last]


@given(
    st.from_regex(r"[0-9A-Za-z_.-]{1,80}", fullmatch=True).filter(lambda name: set(name) != {"."})
)
def test_what_was_taken_over_of_a_run_comes_before_its_own_part_and_a_compaction_after(
    run_id: str,
) -> None:
    started = "2026-11-23T10:00:00.000Z"
    own = index_key(started, run_id)
    if len(run_id) <= 63:
        assert adopted_index_key(started, run_id, b"rows") < own
        assert merged_index_key(started, run_id, []) < own
    assert compacted_index_key(started, run_id, 1, b"rows") > own
    assert adopted_index_key(started, run_id, b"rows").startswith(keys.INDEX)


def test_parts_with_other_content_have_other_keys() -> None:
    keyed = {adopted_index_key("2026", "run-1", body) for body in (b"a", b"b", b"a")}
    assert len(keyed) == 2
    keyed = {compacted_index_key("2026", "run-1", 1, body) for body in (b"a", b"b", b"a")}
    assert len(keyed) == 2


def test_who_has_taken_a_lock_over_comes_after_who_has_lost_it() -> None:
    lost, taken = (compacted_index_key("2026", "run-1", number, b"") for number in (9, 10))
    assert lost < taken
    assert keys.upkeep_lock_number(keys.upkeep_lock_key(10)) == 10
    assert keys.upkeep_lock_number("upkeep/notes.txt") is None


def test_run_is_known_by_its_marker() -> None:
    assert keys.open_run_id(keys.open_run_key("run-1.a")) == "run-1.a"
    assert keys.open_run_id("open/.DS_Store") is None
