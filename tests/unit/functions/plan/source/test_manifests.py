"""Manifests of all kinds, as real files."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pyorc
import pytest
from arro3.core import Array, DataType, Field, RecordBatch, Schema
from arro3.io import write_parquet

from imagemill_app.plan.source.in_hand import manifests
from imagemill_app.plan.source.listing import Listing, gather
from imagemill_app.refusal import RunRefused
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest

BUCKET = Location("s3://bucket", "full/")


@pytest.fixture
def photos(tmp_path: Path) -> Location:
    for name in ("a.jpg", "b c+d.jpg", "cats/é.png", "not-named.jpg", "notes.txt"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    return Location.of_folder(PurePosixPath(tmp_path / "photos"))


def listed(path: Path, source: Location) -> Listing:
    (listing,) = gather(RunRequest(Recipe(), source=source, manifest=path.as_uri()), source, 1000)
    return listing


def names_in(listing: Listing) -> list[str]:
    return [item.key for item in listing.objects]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "b c+d.jpg\na.jpg\ncats/é.png\n"),
        ("list.txt", "\ufeffa.jpg\r\n\r\nb c+d.jpg\r\ncats/é.png"),
        ("list.csv", 'bytes,Key\n5,a.jpg\n,"b c+d.jpg"\n5,cats/é.png\n'),
        ("list.jsonl", '"a.jpg"\n{"key": "cats/é.png"}\n\n{"key": "b c+d.jpg", "size": 5}\n'),
    ],
)
@pytest.mark.parametrize("is_compressed", [False, True])
def test_keys_of_a_list_are_taken_and_looked_up(
    tmp_path: Path, photos: Location, name: str, text: str, is_compressed: bool
) -> None:
    path = tmp_path / (name + ".gz" if is_compressed else name)
    path.write_bytes(gzip.compress(text.encode()) if is_compressed else text.encode())
    listing = listed(path, photos)
    assert names_in(listing) == ["a.jpg", "b c+d.jpg", "cats/é.png"]
    assert all(item.bytes == 5 and item.etag for item in listing.objects)
    assert (listing.refused, listing.ignored, listing.all_keys) == ([], {}, None)


def test_etag_and_size_of_a_list_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text('{"key": "full/a.jpg", "etag": "\\"e1\\"", "bytes": 7}\n')
    assert listed(path, BUCKET).objects == [SourceObject("full/a.jpg", "e1", 7)]


def test_every_row_ends_in_exactly_one_place(tmp_path: Path, photos: Location) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a.jpg\ngone.jpg\nnotes.txt\na.jpg\ncats//x.jpg\n../up.jpg\n")
    listing = listed(path, photos)
    assert names_in(listing) == ["a.jpg"]
    assert {item.key: item.reason for item in listing.refused} == {
        "gone.jpg": Reason.GONE,
        "cats//x.jpg": Reason.UNREADABLE_KEY,
        "../up.jpg": Reason.UNREADABLE_KEY,
    }
    assert listing.ignored == {"not a picture by its name": 1, "named twice": 1}


def test_awkward_keys_of_a_bucket_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("key,etag,bytes\nfull//a.jpg,e,5\nfull/../b.jpg,e,5\n")
    listing = listed(path, BUCKET)
    assert names_in(listing) == ["full/../b.jpg", "full//a.jpg"]
    assert listing.refused == []


def test_keys_outside_the_source_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("key,etag,bytes\nfull/a.jpg,e,5\nother/b.jpg,e,5\nfull/,e,0\n")
    listing = listed(path, BUCKET)
    assert names_in(listing) == ["full/a.jpg"]
    assert sum(listing.ignored.values()) == 2


def inventory(folder: Path, rows: str, **changes: object) -> Path:
    """An S3 Inventory as S3 writes it: a gzipped CSV without header and its manifest."""
    body = gzip.compress(rows.encode())
    (folder / "data").mkdir()
    (folder / "data" / "1.csv.gz").write_bytes(body)
    document = {
        "sourceBucket": "bucket",
        "destinationBucket": "arn:aws:s3:::lists",
        "version": "2016-11-30",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, ETag",
        "files": [
            {
                "key": "data/1.csv.gz",
                "size": len(body),
                "MD5checksum": hashlib.md5(body).hexdigest(),  # noqa: S324 # as S3 does it
            }
        ],
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps({**document, **changes}))
    return path


def test_inventory_is_read_with_sizes_and_decoded_keys(tmp_path: Path) -> None:
    rows = (
        '"bucket","full/a+b%2B%C3%A9.jpg","v2","true","false","5","e1"\n'
        '"bucket","full/a+b%2B%C3%A9.jpg","v1","false","false","4","e0"\n'
        '"bucket","full/gone.jpg","v3","true","true","",""\n'
        '"bucket","full/c.jpg","v4","true","false","6","e2"\n'
    )
    listing = listed(inventory(tmp_path, rows), BUCKET)
    assert listing.objects == [
        SourceObject("full/a b+é.jpg", "e1", 5),
        SourceObject("full/c.jpg", "e2", 6),
    ]


# as S3 names them (S3 guide, inventory lists); last_modified_date is not read
ROWS_OF_INVENTORY = [
    ("bucket", "full/a b+é.jpg", "v2", True, False, 5, "e1"),
    ("bucket", "full/a b+é.jpg", "v1", False, False, 4, "e0"),
    ("bucket", "full/gone.jpg", "v3", True, True, None, None),
    ("bucket", "full/c.jpg", "v4", True, False, 6, "e2"),
]
FIELDS_OF_INVENTORY = {
    "bucket": "string",
    "key": "string",
    "version_id": "string",
    "is_latest": "boolean",
    "is_delete_marker": "boolean",
    "size": "bigint",
    "e_tag": "string",
}


def orc_file() -> bytes:
    fields = ",".join(f"{name}:{kind}" for name, kind in FIELDS_OF_INVENTORY.items())
    file = io.BytesIO()
    with pyorc.Writer(file, f"struct<{fields},last_modified_date:timestamp>") as writer:
        writer.writerows((*row, datetime(2026, 1, 1, tzinfo=UTC)) for row in ROWS_OF_INVENTORY)
    return file.getvalue()


def parquet_file() -> bytes:
    kinds = {"string": DataType.utf8(), "boolean": DataType.bool(), "bigint": DataType.int64()}
    schema = Schema([Field(name, kinds[kind]) for name, kind in FIELDS_OF_INVENTORY.items()])
    columns = zip(*ROWS_OF_INVENTORY, strict=True)
    arrays = [Array(some, schema.field(place).type) for place, some in enumerate(columns)]
    file = io.BytesIO()
    write_parquet(RecordBatch.from_arrays(arrays, schema=schema), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("file_format", "name", "body"),
    [("Parquet", "data/1.parquet", parquet_file()), ("ORC", "data/1.orc", orc_file())],
)
def test_inventory_in_columns_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: str, name: str, body: bytes
) -> None:
    monkeypatch.setenv("TZDIR", str(tmp_path))  # Lambda has no time zones
    path = inventory(tmp_path, "", fileFormat=file_format, files=[{"key": name}])
    (tmp_path / name).write_bytes(body)
    assert listed(path, BUCKET).objects == [
        SourceObject("full/a b+é.jpg", "e1", 5),
        SourceObject("full/c.jpg", "e2", 6),
    ]
    (tmp_path / name).write_bytes(body[:-9])
    with pytest.raises(RunRefused, match="cannot be read"):
        listed(path, BUCKET)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"fileFormat": "Avro"}, "its format is Avro, and it must be CSV, Parquet or ORC"),
        ({"sourceBucket": "another"}, "another"),
        ({"files": [{"key": "data/2.csv.gz"}]}, "there is nothing at"),
        ({"files": None}, "cannot be read"),
    ],
)
def test_inventory_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    path = inventory(tmp_path, '"bucket","full/a.jpg","v","true","false","5","e"\n', **changes)
    with pytest.raises(RunRefused, match=sentence):
        listed(path, BUCKET)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("list.jsonl", b'{"name": "a.jpg"}\n'),
        ("list.jsonl", b"a.jpg\n"),
        ("list.jsonl", b"17\n"),
        ("list.jsonl", b'{"key": "a.jpg", "bytes": "many"}\n'),
        ("list.csv", b"\xff\xfe\xff"),
        ("list.csv.gz", b"not gzip"),
        ("list.csv.gz", gzip.compress(b"a.jpg\n" * 100, mtime=0)[:-12]),
        ("manifest.json", b"[]"),
    ],
)
def test_manifest_of_another_shape_is_refused_with_a_sentence(
    tmp_path: Path, name: str, body: bytes
) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(RunRefused, match=r'^manifest: "file:///.*" cannot be read: .*\.$'):
        listed(tmp_path / name, BUCKET)


def test_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunRefused, match="manifest: there is nothing at"):
        listed(tmp_path / "none.csv", BUCKET)


@pytest.mark.parametrize("is_compressed", [False, True])
def test_manifest_that_memory_would_not_hold_is_refused_with_a_sentence(
    is_compressed: bool, tmp_path: Path, photos: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifests, "MAX_FILE_CHARACTERS", 1_000)
    body = b"a.jpg\n" * 100_000
    path = tmp_path / ("bomb.csv.gz" if is_compressed else "list.csv")
    path.write_bytes(gzip.compress(body) if is_compressed else body)
    with pytest.raises(RunRefused, match="cannot be read: it has more than"):
        listed(path, photos)


def test_manifest_that_no_function_could_sort_in_time_is_refused_with_a_sentence(
    tmp_path: Path, photos: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifests, "MAX_MANIFEST_KEYS", 2)
    path = tmp_path / "list.csv"
    path.write_text("a.jpg\nb c+d.jpg\n")
    assert len(listed(path, photos).objects) == 2
    path.write_text("a.jpg\nb c+d.jpg\na.jpg\n")
    with pytest.raises(RunRefused, match="it names more than 2 objects; cut it into manifests"):
        listed(path, photos)


def test_line_that_memory_would_not_hold_is_refused_with_a_sentence(
    tmp_path: Path, photos: Location
) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text(f'"{"a" * 1_000_000}"')
    with pytest.raises(RunRefused, match="cannot be read: it has a line of more than 1,000,000"):
        listed(path, photos)
