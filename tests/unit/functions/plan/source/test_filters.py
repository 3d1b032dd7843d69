from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.plan.source.filters import excluded_names, selected
from imagemill_app.refusal import RunRefused
from imagemill_contract.documents import SourceObject
from imagemill_contract.requests.selection import Selection

PREFIX = "full/"
globs = st.lists(st.sampled_from(["a*", "*.jpg", "b/*", "?", "[ab]*"]), max_size=2).map(tuple)
selections = st.builds(
    Selection,
    exclude=st.lists(st.text("ab.", min_size=1, max_size=3), max_size=3).map(tuple),
    include_globs=globs,
    exclude_globs=globs,
    min_bytes=st.none() | st.integers(0, 10),
    max_bytes=st.none() | st.integers(0, 10),
    limit=st.none() | st.integers(1, 5),
)
relatives = st.dictionaries(st.text("ab/.jpg", min_size=1, max_size=5), st.integers(0, 10))


def objects_of(sizes: dict[str, int]) -> list[SourceObject]:
    return [SourceObject(PREFIX + name, "e", size) for name, size in sorted(sizes.items())]


def kept_names(names: list[str], selection: Selection) -> list[str]:
    objects = objects_of(dict.fromkeys(names, 5))
    kept = selected(objects, PREFIX, selection, excluded_names(selection)).kept
    return [item.key.removeprefix(PREFIX) for item in kept]


@given(relatives, selections)
def test_every_object_is_kept_or_counted(sizes: dict[str, int], selection: Selection) -> None:
    objects = objects_of(sizes)
    result = selected(objects, PREFIX, selection, excluded_names(selection))
    assert len(result.kept) + sum(result.left_out.values()) == len(objects)
    assert all(result.left_out.values())
    assert [item for item in objects if item in result.kept] == result.kept


@given(relatives)
def test_nothing_is_left_out_without_filters(sizes: dict[str, int]) -> None:
    objects = objects_of(sizes)
    result = selected(objects, PREFIX, Selection(), frozenset())
    assert (result.kept, result.left_out) == (objects, {})


@pytest.mark.parametrize(
    ("excluded", "left"),
    [
        ("a.jpg", ["cats/a.b.jpg", "cats/b.jpg"]),  # a name, in any folder
        ("cats/a.jpg", ["a.jpg", "cats/a.b.jpg", "cats/b.jpg"]),
        ("full/cats/b.jpg", ["a.jpg", "cats/a.b.jpg", "cats/a.jpg"]),
        ("a.b", ["a.jpg", "cats/a.jpg", "cats/b.jpg"]),  # a stem, without the last extension
        ("cats", ["a.jpg", "cats/a.b.jpg", "cats/a.jpg", "cats/b.jpg"]),
    ],
)
def test_exclude_names_keys_names_and_stems(excluded: str, left: list[str]) -> None:
    names = ["a.jpg", "cats/a.b.jpg", "cats/a.jpg", "cats/b.jpg"]
    assert kept_names(names, Selection(exclude=(excluded,))) == left


@pytest.mark.parametrize(
    ("include", "exclude", "left"),
    [
        (("*.jpg",), (), ["a.jpg", "cats/b.jpg"]),  # `*` stands for slashes, too
        (("cats/*", "a*"), (), ["a.jpg", "cats/b.jpg", "cats/c.png"]),
        ((), ("cats/*",), ["a.jpg", "d.PNG"]),
        (("*.[jp]*",), ("*b*",), ["a.jpg", "cats/c.png"]),
        (("?.PNG",), (), ["d.PNG"]),  # letters as they are, on every machine
        (("full/*",), (), []),
    ],
)
def test_globs_match_keys_below_the_source(
    include: tuple[str, ...], exclude: tuple[str, ...], left: list[str]
) -> None:
    names = ["a.jpg", "cats/b.jpg", "cats/c.png", "d.PNG"]
    assert kept_names(names, Selection(include_globs=include, exclude_globs=exclude)) == left


def test_sizes_are_inclusive_and_the_limit_counts_what_is_kept() -> None:
    objects = objects_of({"a": 1, "b": 2, "c": 3, "d": 4, "e": 3})
    result = selected(objects, PREFIX, Selection(min_bytes=2, max_bytes=3, limit=2), frozenset())
    assert [item.key for item in result.kept] == ["full/b", "full/c"]
    assert result.left_out == {"under min_bytes": 1, "over max_bytes": 1, "beyond the limit": 1}


def test_exclude_file_of_2017_holds_stems(tmp_path: Path) -> None:
    path = tmp_path / "exclude.txt"
    path.write_bytes("\ufeff0a1b\r\n\r\n  c d \n日本\n".encode())
    names = excluded_names(Selection(exclude=path.as_uri()))
    assert names == {"0a1b", "c d", "日本"}


def test_exclude_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunRefused, match=r'exclude: there is nothing at "file:///.*/none\.txt"'):
        excluded_names(Selection(exclude=(tmp_path / "none.txt").as_uri()))


def test_exclude_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(RunRefused, match="is not a text in UTF-8"):
        excluded_names(Selection(exclude=(tmp_path / "a.txt").as_uri()))
