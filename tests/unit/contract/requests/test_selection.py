from __future__ import annotations

import pytest

from imagemill_contract.errors import RequestError
from imagemill_contract.requests.request import RunRequest
from imagemill_contract.requests.selection import Selection

SOURCE = {"source": "s3://bucket/full/"}


def read(document: dict[str, object], *, allow_files: bool = False) -> RunRequest:
    return RunRequest.from_document({**SOURCE, **document}, allow_files=allow_files)


def test_request_without_filters_takes_everything() -> None:
    assert read({}).selection == Selection()


def test_all_filters_are_read() -> None:
    filters: dict[str, object] = {
        "exclude": ["a", "b.jpg"],
        "include_globs": ["*.jpg"],
        "exclude_globs": ["old/*"],
        "min_bytes": 0,
        "max_bytes": 10,
        "limit": 1,
    }
    assert set(filters) == set(Selection.names())
    assert read(filters).selection == Selection(
        ("a", "b.jpg"), ("*.jpg",), ("old/*",), min_bytes=0, max_bytes=10, limit=1
    )


def test_exclude_and_manifest_may_be_addresses() -> None:
    request = read({"exclude": "s3://other/exclude.txt", "manifest": "s3://other/list.csv"})
    assert request.selection.exclude == "s3://other/exclude.txt"
    assert request.manifest == "s3://other/list.csv"


def test_addresses_of_files_are_accepted_where_the_stack_allows_them() -> None:
    address = "file:///lists/exclude.txt"
    assert read({"exclude": address}, allow_files=True).selection.exclude == address


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("exclude", 3, "exclude: 3 is not allowed; it must be a list of texts"),
        ("exclude", [""], "it must be a list of texts"),
        ("exclude", "exclude.txt", 'exclude: "exclude.txt" is not the address of an object'),
        ("exclude", "file:///etc/hosts", 'exclude: "file:///etc/hosts" is not allowed'),
        ("include_globs", "*.jpg", 'include_globs: "*.jpg" is not allowed; it must be a list'),
        ("exclude_globs", [1], "exclude_globs: [1] is not allowed"),
        ("min_bytes", -1, "min_bytes: -1 is not allowed; it must be a whole number from 0"),
        ("max_bytes", True, "max_bytes: true is not allowed"),
        ("max_bytes", 1.5, "max_bytes: 1.5 is not allowed"),
        ("max_bytes", "12", 'max_bytes: "12" is not allowed; it must be a whole number from 0'),
        ("max_bytes", "1 XB", "or a size such as 256MB or 64MiB."),
        ("max_bytes", "1.0001kB", 'max_bytes: "1.0001kB" is not allowed'),  # no part of a byte
        ("max_bytes", "-1MB", 'max_bytes: "-1MB" is not allowed'),
        ("max_bytes", "6TiB", 'max_bytes: "6TiB" is not allowed'),
        ("limit", 0, "limit: 0 is not allowed; it must be a whole number from 1"),
        ("manifest", ["a"], 'manifest: ["a"] is not the address of an object'),
        ("manifest", "s3://bucket/", "manifest: "),
        ("manifest", "file:///etc/hosts", 'manifest: "file:///etc/hosts" is not allowed'),
        ("dry_run", 1, "dry_run: 1 is not allowed; it must be true or false"),
        ("prune", None, "prune: null is not allowed"),
    ],
)
def test_bad_field_gets_one_sentence_that_names_it(
    field: str, value: object, sentence: str
) -> None:
    with pytest.raises(RequestError) as raised:
        read({field: value})
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("12B", 12),
        ("1kB", 1000),
        ("1KB", 1000),
        ("1KiB", 1024),
        ("20MB", 20_000_000),
        ("64MiB", 67_108_864),
        ("0.1GB", 100_000_000),
        ("2 GiB", 2**31),
        ("1TB", 10**12),
        ("1tib", 2**40),
    ],
)
def test_number_of_bytes_may_have_a_decimal_or_a_binary_unit(text: str, count: int) -> None:
    assert read({"max_bytes": text}).selection.max_bytes == count


def test_least_size_above_the_largest_is_refused() -> None:
    with pytest.raises(RequestError, match="min_bytes: 11 is not allowed; it must not be more"):
        read({"min_bytes": 11, "max_bytes": 10})


def test_manifest_alone_is_refused_with_what_to_add() -> None:
    with pytest.raises(RequestError, match='manifest: needs a "source" beside it'):
        RunRequest.from_document({"manifest": "s3://bucket/list.csv"}, allow_files=False)


@pytest.mark.parametrize(
    "extra", [{"dry_run": True}, {"limit": 3}, {"exclude": ["a"]}, {"manifest": "s3://b-c/l.csv"}]
)
def test_window_is_taken_as_a_whole(extra: dict[str, object]) -> None:
    document = {"window": "20261123T101500Z-60s", **extra}
    with pytest.raises(RequestError, match='needs a "source"'):
        RunRequest.from_document(document, allow_files=False)
