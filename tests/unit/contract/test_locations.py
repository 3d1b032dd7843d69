from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.errors import LocationError
from imagemill_contract.locations import Location, split_object_address

names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)
folders = st.lists(names.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=4)


@given(folders)
def test_folder_round_trips_through_its_address(parts: list[str]) -> None:
    location = Location.of_folder(PurePosixPath("/", *parts))
    assert Location.parse(str(location), "source") == location
    assert location.folder == "/" + "/".join(parts)


@given(folders, names)
def test_object_of_a_bucket_round_trips(parts: list[str], name: str) -> None:
    address = Location("s3://bucket").address_of("/".join([*parts, name]))
    assert split_object_address(address, "shard") == (
        Location("s3://bucket"),
        "/".join([*parts, name]),
    )


@given(folders, names.filter(lambda name: name not in {".", ".."}))
def test_object_of_a_folder_round_trips(parts: list[str], name: str) -> None:
    location = Location.of_folder(PurePosixPath("/", *parts))
    assert split_object_address(location.address_of(name), "shard") == (location, name)


def test_prefix_is_a_folder_with_or_without_its_slash() -> None:
    assert Location.parse("s3://bucket/full", "source") == Location("s3://bucket", "full/")
    assert Location.parse("s3://bucket", "source") == Location("s3://bucket", "")


@pytest.mark.parametrize(
    "address", ["full/", "s3://", "s3://B/x", "http://bucket/", "file://host/x", 7, None, ""]
)
def test_address_that_is_none_is_refused_by_its_field(address: object) -> None:
    with pytest.raises(LocationError, match=r"^source: "):
        Location.parse(address, "source")


def test_folder_address_may_not_climb() -> None:
    with pytest.raises(LocationError, match="must not contain"):
        Location.parse("file:///data/%2E%2E/etc", "source")


@pytest.mark.parametrize(
    ("outer", "inner", "contains"),
    [
        ("s3://bucket/", "s3://bucket/full/", True),
        ("s3://bucket/full/", "s3://bucket/fuller/", False),
        ("s3://bucket/", "s3://other/", False),
        ("file:///a/b", "file:///a/b/c", True),
        ("file:///a/b", "file:///a/bc", False),
        ("file:///a", "s3://bucket/", False),
    ],
)
def test_contains(outer: str, inner: str, contains: bool) -> None:
    assert Location.parse(outer, "a").contains(Location.parse(inner, "b")) is contains


@pytest.mark.parametrize(
    ("address", "name", "parent"),
    [
        ("file:///a/out/dataset/", "dataset", "file:///a/out/"),
        ("file:///", "", None),
        ("s3://bucket/out/dataset", "dataset", "s3://bucket/out/"),
        ("s3://bucket/dataset/", "dataset", "s3://bucket/"),
        ("s3://bucket/", "", None),
    ],
)
def test_location_knows_its_name_and_what_it_lies_in(
    address: str, name: str, parent: str | None
) -> None:
    location = Location.parse(address, "x")
    assert location.name == name
    assert (str(location.parent) if location.parent else None) == parent
