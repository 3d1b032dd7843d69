from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.ingest.spent import Spent
from imagemill_app.ingest.uploads import UnreadableMessageError, Upload, group_of, uploads_in
from imagemill_contract.document_parts.lines import decode_lines
from imagemill_contract.locations import Location
from imagemill_contract.reporting.lambda_usage import LambdaUsage

EVENTS = sorted((Path(__file__).parents[3] / "events").glob("*.json"))
SOURCE = Location("s3://input-bucket", "full/")


def upload(
    key: str, sequencer: str = "01", etag: str = "e", bucket: str = "input-bucket"
) -> Upload:
    return Upload(bucket, key, etag, 10, sequencer)


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_message_tells_of_its_uploads(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json.expected").read_text("utf-8"))
    assert [item.key for item in uploads_in(path.read_text("utf-8"))] == expected


@pytest.mark.parametrize("body", ["", "no json", "[]", "{}", '{"Records": [{}]}', "null"])
def test_body_that_is_no_event_is_told_apart(body: str) -> None:
    with pytest.raises(UnreadableMessageError):
        uploads_in(body)


def test_group_holds_the_pictures_under_the_source_prefix() -> None:
    group = group_of(
        [
            upload("full/b.jpg"),
            upload("other/c.jpg"),
            upload("full/notes.txt"),
            upload("full/x/"),
            upload("full/a.jpg"),
            upload("full/d.jpg", bucket="another-bucket"),
        ],
        SOURCE,
    )
    assert group is not None
    spent = Spent(7, LambdaUsage(1, 0.5, {"put": 1}))
    header, rows = decode_lines("group", group.document(spent))
    assert header == {"source": "s3://input-bucket/full/", "spent": spent.to_document()}
    assert [row["key"] for row in rows] == ["full/a.jpg", "full/b.jpg"]


def test_nothing_wanted_is_no_group() -> None:
    assert group_of([upload("other/c.jpg"), upload("full/notes.txt")], SOURCE) is None


def test_newest_event_of_a_key_counts() -> None:
    # a shorter sequencer is padded with zeros on its right: "0F" is newer than "0E5"
    group = group_of(
        [upload("full/a.jpg", "0F", "new"), upload("full/a.jpg", "0E5", "old")], SOURCE
    )
    assert group is not None
    assert [row["etag"] for row in decode_lines("group", group.document(Spent()))[1]] == ["new"]


@given(st.permutations([upload(f"full/{index}.jpg", f"0{index}") for index in range(6)]), st.data())
def test_order_and_duplicates_do_not_change_the_group(
    uploads: list[Upload], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(uploads)))
    assert group_of([*uploads, *again], SOURCE) == group_of(sorted(uploads, key=str), SOURCE)
