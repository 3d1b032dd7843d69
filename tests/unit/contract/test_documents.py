from __future__ import annotations

import gzip
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.document_parts.lines import decode_lines, encode_lines
from imagemill_contract.document_parts.pictures import Original, Rendition
from imagemill_contract.documents import (
    Shard,
    SourceObject,
    decode_journal,
    decode_outcomes,
    encode_journal,
    encode_outcomes,
)
from imagemill_contract.errors import DocumentError
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import PLAIN, Outcome, Reason, Status
from imagemill_contract.recipe import Recipe
from imagemill_contract.reporting.stage_counts import StageCounts

text = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.floats(allow_nan=False, allow_infinity=False)  # a column refuses others
columns = st.lists(st.none() | st.booleans() | st.integers() | numbers | text, max_size=4)
objects = st.builds(
    SourceObject,
    key=text,
    etag=text,
    bytes=st.integers(0, 10**12),
    columns=columns.map(tuple),
)
outcomes = st.builds(
    Outcome,
    key=text,
    status=st.sampled_from(Status),
    reason=st.none() | st.sampled_from(Reason),
    detail=text,
    output_key=st.none() | text.filter(bool),
    output_bytes=st.integers(0, 10**9),
    area=st.none() | st.tuples(*[st.integers(0, 16_384)] * 4),
    fingerprint=st.sampled_from(["", PLAIN, "00000000000000ff"]),
    original=st.none() | st.builds(Original, st.integers(1, 99), st.integers(1, 99), text),
    smaller=st.lists(
        st.builds(
            Rendition,
            *(st.none() | text, st.integers(0, 99), st.integers(1, 99), st.integers(1, 99)),
            *(text, text, st.none() | st.tuples(*[st.integers(0, 99)] * 4)),
        ),
        max_size=2,
    ).map(tuple),
    scores=st.none()
    | st.dictionaries(text, numbers, min_size=1, max_size=3)
    | st.lists(numbers, min_size=1, max_size=3),
)


@given(st.lists(objects))
def test_shard_round_trips(items: list[SourceObject]) -> None:
    shard = Shard(
        "run", "00000", Location("s3://input", "full/"), Location("s3://output"), Recipe(), items
    )
    assert Shard.decode(shard.encode()) == shard
    assert shard.encode() == shard.encode()


@given(st.lists(outcomes))
def test_outcomes_round_trip(rows: list[Outcome]) -> None:
    assert decode_outcomes(encode_outcomes({"run_id": "r"}, rows)) == ({"run_id": "r"}, rows)


@given(st.lists(outcomes))
def test_page_of_a_journal_round_trips_and_is_no_outcome_document(rows: list[Outcome]) -> None:
    body = encode_journal({"run_id": "r", "shards": []}, rows)
    assert decode_journal(body) == ({"run_id": "r", "shards": []}, rows)
    with pytest.raises(DocumentError, match="not a outcomes"):
        decode_outcomes(body)


@given(st.lists(outcomes))
def test_documents_of_earlier_versions_have_outcomes_as_objects(rows: list[Outcome]) -> None:
    body = encode_lines("outcomes", {"run_id": "r"}, [row.to_row() for row in rows])
    assert decode_outcomes(body) == ({"run_id": "r"}, rows)


def test_shards_of_earlier_versions_have_objects_as_objects() -> None:
    items = [SourceObject("a", "e", 1, ("said",)), SourceObject("b", "e", 1)]
    places = Location("s3://input"), Location("s3://output")
    shard = Shard("run", "00000", *places, Recipe(), items, splits={"b": "val"})
    header, _ = decode_lines("shard", shard.encode())
    del header["fields"]
    rows = [items[0].to_row(), items[1].to_row() | {"split": "val"}]
    assert Shard.decode(encode_lines("shard", header, rows)) == shard


def test_values_of_fields_that_are_unknown_are_refused() -> None:
    body = encode_lines("outcomes", {"fields": ["key", "colour"]}, [["a", "red"]])
    with pytest.raises(DocumentError, match=r"has the fields .*'colour'.*; known are .*'status'"):
        decode_outcomes(body)


@pytest.mark.parametrize(
    "values", [[], ["a"], ["a", "lost"], ["a", "rejected", "odd"], ["a", "written", *[None] * 30]]
)
def test_values_that_are_no_outcome_are_refused(values: list[object]) -> None:
    fields = list(Outcome._fields)
    body = encode_lines("outcomes", {"fields": fields}, [["b", "written"], values])
    with pytest.raises(DocumentError, match="cannot be read"):
        decode_outcomes(body)


def test_torn_document_is_refused() -> None:
    body = encode_lines("shard", {}, [{"key": "a"}] * 100)
    with pytest.raises(DocumentError, match="cannot be read"):
        decode_lines("shard", body[:-10])


def test_document_with_a_wrong_bit_is_refused_or_tells_the_same() -> None:
    rows: list[dict[str, object]] = [{"key": f"{number}.jpg"} for number in range(30)]
    body = encode_lines("shard", {}, rows)
    for bit in range(len(body) * 8):
        damaged = bytearray(body)
        damaged[bit // 8] ^= 1 << bit % 8
        with suppress(DocumentError):
            assert decode_lines("shard", bytes(damaged)) == ({}, rows)


@pytest.mark.parametrize("header", [{"v": 2, "kind": "shard"}, {"v": 1, "kind": "other"}, {}])
def test_document_of_another_version_or_kind_is_refused(header: dict[str, object]) -> None:
    body = gzip.compress(json.dumps(header).encode())
    with pytest.raises(DocumentError, match="not a shard of version 1"):
        decode_lines("shard", body)


def test_shard_that_lost_an_object_is_refused() -> None:
    items = [SourceObject("a", "e", 1), SourceObject("b", "e", 1)]
    shard = Shard("run", "00000", Location("s3://input"), Location("s3://output"), Recipe(), items)
    lines = gzip.decompress(shard.encode()).splitlines(keepends=True)
    with pytest.raises(DocumentError, match="1 of 2 objects"):
        Shard.decode(gzip.compress(b"".join(lines[:-1])))


@given(st.lists(st.sampled_from(Status)))
def test_counts_add_up_to_what_was_planned(statuses: list[Status]) -> None:
    counts = StageCounts.of(len(statuses), statuses)
    parts = counts.written + counts.skipped + counts.rejected + counts.failed
    assert parts == counts.planned == len(statuses)
    with pytest.raises(DocumentError, match="were planned"):
        StageCounts.of(len(statuses) + 1, statuses)
