from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.plan.sifting.collisions import Others, Sifted, collision_sieve
from imagemill_app.plan.source.slices import ranges_between
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import output_key, stages_of
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import ImageFormat, Recipe

# Names that meet: extensions as folders, empty parts beside their escapes, parts that are cut.
names = (
    st.lists(
        st.sampled_from(["a", "a.jpg", "a.png", "a.jpg.png", "%2F", "", ".", "%2E", "l" * 300]),
        min_size=1,
        max_size=3,
    )
    .map("/".join)
    .filter(lambda name: name and not name.endswith("/"))
)
sources = st.sets(names, max_size=12)
NAMES_NEAR_EACH_OTHER = [
    *("a", "a b", "a-c", "a.jpg", "a.jpg.jpg", "a.jpg.png", "a.png", "a.png.png", "a/x", "a/x.jpg"),
    *("a.jpg/x", "a.jpg/x.jpg", "a.jpg/x.png", "a.jpg.jpg/y", "b", "b.jpg", "b.png"),
]


def sifted(*relatives: str, in_folder: bool = True) -> Sifted:
    objects = [SourceObject(f"full/{name}", "e", 1) for name in sorted(relatives)]
    return collision_sieve("full/", Recipe(), in_folder=in_folder)(objects)


def kept(*relatives: str, in_folder: bool = True) -> list[str]:
    found = sifted(*relatives, in_folder=in_folder)
    return [item.key.removeprefix("full/") for item in found.kept]


def test_object_whose_output_would_overwrite_another_is_refused() -> None:
    result = sifted("a", "a.jpg", "a.jpg.png", "b")
    assert [item.key for item in result.kept] == ["full/a", "full/a.jpg.png", "full/b"]
    (refused,) = result.refused
    assert (refused.key, refused.reason) == ("full/a.jpg", Reason.KEY_COLLISION)
    assert refused.detail == "Its result would overwrite that of full/a."


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("dir", "dir.jpg/x.png"),
        ("dir", "dir.png/x"),
        ("dir.jpg", "dir.jpg/x.jpg"),
        ("dir", "dir.jpg/deep/er/x.jpg"),
        ("a/b/dir", "a/b/dir.jpg/x"),
        ("/dir", "%2Fdir.jpg/x"),
    ],
)
def test_of_a_file_and_a_folder_of_one_name_the_first_is_kept_where_results_are_files(
    first: str, second: str
) -> None:
    winner, loser = sorted((first, second))
    result = sifted(first, second, "other.jpg")
    (refused,) = result.refused
    assert (refused.key, refused.reason) == (f"full/{loser}", Reason.KEY_COLLISION)
    assert refused.detail == (
        f"Its result and that of full/{winner} would be a file and a folder with one name."
    )
    assert len(sifted(first, second, in_folder=False).kept) == 2


def test_folders_with_extensions_are_no_obstacle_by_themselves() -> None:
    assert kept("dir.jpg/x.png", "dir.jpg/y.png", "dirs") == [
        "dir.jpg/x.png",
        "dir.jpg/y.png",
        "dirs",
    ]


def test_changed_name_meets_the_ordinary_one_that_looks_like_it() -> None:
    assert kept("a/%2Fb.jpg", "a//b.jpg") == ["a/%2Fb.jpg"]
    assert kept("a//b", "a//b.jpg") == ["a//b"]
    assert kept("a//b.jpg", "a/b.jpg") == ["a//b.jpg", "a/b.jpg"]


@given(sources, st.sampled_from(ImageFormat), st.booleans())
def test_kept_objects_have_their_results_to_themselves_and_no_more_are_refused(
    relatives: set[str], image_format: ImageFormat, in_folder: bool
) -> None:
    objects = [SourceObject(name, "e", 1) for name in sorted(relatives)]
    result = collision_sieve("", Recipe(format=image_format), in_folder=in_folder)(objects)

    def results(item: SourceObject) -> set[str]:
        return {
            output_key(stage, item.key, Recipe(format=image_format))
            for stage in stages_of(Recipe())
        }

    def can_be_written(keys: set[str]) -> bool:
        folders = {key[:at] for key in keys for at in range(len(key)) if key[at] == "/"}
        return not (in_folder and keys & folders)

    taken: set[str] = set()
    kept_keys = {item.key for item in result.kept}
    for item in objects:  # by the definition, one after the other
        own = results(item)
        fits = taken.isdisjoint(own) and can_be_written(taken | own)
        assert (item.key in kept_keys) == fits
        if fits:
            taken |= own
    assert [item.key for item in result.kept] == sorted(kept_keys)
    assert len(result.kept) + len(result.refused) == len(objects)


@given(sources)
def test_a_folder_takes_the_results_of_all_that_is_kept(relatives: set[str]) -> None:
    objects = [SourceObject(name, "e", 1) for name in sorted(relatives)]
    result = collision_sieve("", Recipe(), in_folder=True)(objects)
    with tempfile.TemporaryDirectory() as folder:
        for item in result.kept:
            for stage in stages_of(Recipe()):
                path = Path(folder, output_key(stage, item.key, Recipe()))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(exist_ok=False)


@given(st.sets(st.sampled_from(NAMES_NEAR_EACH_OTHER)), st.booleans(), st.data())
def test_slices_refuse_what_the_whole_refuses(
    names: set[str], in_folder: bool, data: st.DataObject
) -> None:
    objects = [SourceObject(f"full/{name}", "e", 1) for name in sorted(names)]
    whole = collision_sieve("full/", Recipe(), in_folder=in_folder)(objects)
    borders = sorted(data.draw(st.sets(st.sampled_from(NAMES_NEAR_EACH_OTHER))))
    existing = {item.key for item in objects}
    kept, refused = [], []
    for part in ranges_between([f"full/{name}" for name in borders]):
        others = Others(part, existing.__contains__)
        sift = collision_sieve("full/", Recipe(), in_folder=in_folder, others=others)
        found = sift([item for item in objects if part.has(item.key)])
        kept += found.kept
        refused += found.refused
    assert kept == whole.kept
    assert [item.key for item in refused] == [item.key for item in whole.refused]
