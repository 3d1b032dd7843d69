"""Whatever a source object is called, its results have names that buckets and folders can hold."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.keys import Stage, output_key
from imagemill_contract.output_names import escaped_slashes, keeps_its_name, output_name
from imagemill_contract.recipe import ImageFormat, Recipe
from imagemill_contract.source_keys import is_readable_key

ordinary = st.text(
    st.characters(exclude_categories=["C"], exclude_characters="/"), min_size=1, max_size=50
).filter(lambda part: part not in (".", ".."))
ordinary_names = st.lists(ordinary, min_size=1, max_size=4).map("/".join)
awkward_names = st.text("a./%é\t\n\x00\x7f\udcff~", min_size=1, max_size=12)
long_names = st.builds(
    lambda part, parts, tail: "/".join([part] * parts) + tail,
    st.sampled_from(["a" * 300, "é" * 200, "\n" * 100, "日" * 86, "b" * 255, "c/" * 99 + "c"]),
    st.integers(1, 5),
    st.text("/.ab", max_size=3),
)
names = ordinary_names | awkward_names | long_names | st.text(min_size=1)
stages, formats = st.sampled_from(Stage), st.sampled_from(ImageFormat)


@pytest.mark.parametrize(
    ("relative", "name"),
    [
        ("a//b.jpg", "a/%2Fb.jpg"),
        ("a///b.jpg", "a/%2F%2Fb.jpg"),
        ("/lead.jpg", "%2Flead.jpg"),
        ("a/./b.jpg", "a/%2E/b.jpg"),
        ("a/../b.jpg", "a/%2E%2E/b.jpg"),
        ("../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd.jpg"),
        ("a\tb.jpg", "a%09b.jpg"),
        ("two\nlines", "two%0Alines.jpg"),
        ("nul\x00.jpg", "nul%00.jpg"),
        ("bad\udcff.jpg", "bad%ED%B3%BF.jpg"),
        (".../a..b/..c.jpg", ".../a..b/..c.jpg"),
        ("100%/a+b c.jpg", "100%/a+b c.jpg"),
    ],
)
def test_what_a_folder_could_not_hold_is_percent_encoded(relative: str, name: str) -> None:
    assert output_name(relative, ".jpg", 1000) == name


@given(ordinary_names, stages, formats)
def test_ordinary_name_stays(relative: str, stage: Stage, image_format: ImageFormat) -> None:
    key = output_key(stage, relative, Recipe(format=image_format))
    assert key.startswith(stage.folder + relative)


@given(names, st.sampled_from([".jpg", ".webp"]))
def test_name_that_is_kept_at_a_glance_is_kept(relative: str, extension: str) -> None:
    if keeps_its_name(relative, len(extension)):
        assert output_name(relative, extension, 1000) in (relative, relative + extension)


@pytest.mark.parametrize("relative", ["a", "0a1b2c.jpg", "x y/100%/日本 é.jpeg", "a..b/c"])
def test_common_names_are_kept_at_a_glance(relative: str) -> None:
    assert keeps_its_name(relative, 5)


@given(names, stages, formats)
def test_key_is_one_that_s3_and_obstore_take(
    relative: str, stage: Stage, image_format: ImageFormat
) -> None:
    key = output_key(stage, relative, Recipe(format=image_format))
    assert len(key.encode()) <= 1024
    assert is_readable_key(key)
    assert key.startswith(stage.folder)
    endings = {Stage.RESIZE: f".{image_format}", Stage.MODEL: ".npy", Stage.EDGE: ".png"}
    endings[Stage.SHARPNESS] = ".json"
    assert key.endswith(endings[stage])


@given(names, stages, formats)
def test_path_stays_below_the_output_and_a_file_system_holds_it(
    relative: str, stage: Stage, image_format: ImageFormat
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, output_key(stage, relative, Recipe(format=image_format)))
        assert path.resolve().is_relative_to(Path(folder, stage.folder).resolve())
        path.parent.mkdir(parents=True)
        path.touch()


@given(names)
def test_name_is_the_same_whenever_it_is_made_and_stays_when_made_again(relative: str) -> None:
    name = output_name(relative, ".jpg", 1000)
    assert output_name(relative, ".jpg", 1000) == name
    assert output_name(name, ".jpg", 1000) == name


@given(st.sets(awkward_names.filter(lambda name: "%" not in name), max_size=20))
def test_names_without_percent_signs_are_told_apart(relatives: set[str]) -> None:
    plain = {name.removesuffix(".jpg") for name in relatives}
    assert len({output_name(name, ".jpg", 1000) for name in plain}) == len(plain)


@given(awkward_names.filter(lambda name: "%" not in name and name.isascii()))
def test_percent_decoding_gives_an_awkward_name_back(relative: str) -> None:
    assert unquote(output_name(relative, ".jpg", 1000)).removesuffix(".jpg") == (
        relative.removesuffix(".jpg")
    )


@given(st.sets(long_names, min_size=2, max_size=6))
def test_long_names_are_told_apart_by_their_hashes(relatives: set[str]) -> None:
    plain = {name.removesuffix(".jpg") for name in relatives}
    assert len({output_name(name, ".jpg", 1000) for name in plain}) == len(plain)


def test_long_part_keeps_its_beginning_and_the_extension() -> None:
    name = output_name("é" * 200 + "/" + "b" * 300 + ".jpg", ".jpg", 1000)
    folder, file = name.split("/")
    assert folder.startswith("é" * 119 + "~")
    assert file.startswith("b" * 234 + "~")
    assert file.endswith(".jpg")
    assert max(len(part.encode()) for part in (folder, file)) <= 255


def test_name_that_is_too_long_as_a_whole_keeps_its_first_folders() -> None:
    relative = "/".join(["f" * 200] * 5) + "/picture.jpg"
    name = output_name(relative, ".jpg", 1000)
    *folders, last = name.split("/")
    assert folders == ["f" * 200] * 4
    assert len(last) == len("~0123456789abcdef.jpg")


@given(st.text("a/", max_size=8))
def test_slash_that_begins_a_part_is_escaped(relative: str) -> None:
    escaped = escaped_slashes(relative)
    assert "" not in escaped.removesuffix("/").split("/") or not relative
    assert unquote(escaped) == relative
