"""Dataset shards are what the readers of others expect."""

from __future__ import annotations

import io
import itertools
import json
import re
import struct
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

import pytest
from arro3.io import read_parquet

from imagemill_worker.dataset.formats.registry import dataset_format
from tests.helpers.dataset_samples import labelled, noise, sample, samples_in, shard


def grouped(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """As the `webdataset` library does it."""
    files: list[tuple[str, bytes]] = []
    with tarfile.open(fileobj=file, mode="r|*") as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            files.append((member.name, content.read()))
    split = [match_of(r"^((?:.*/|)[^.]+)[.]([^/]*)$", name) for name, _ in files]
    rows = zip(split, files, strict=True)
    for key, group in itertools.groupby(rows, lambda row: row[0][0]):
        yield {"__key__": key} | {extension: body for (_, extension), (_, body) in group}


def match_of(pattern: str, text: str) -> tuple[str, ...]:
    match = re.match(pattern, text)
    assert match is not None
    return match.groups()


def test_webdataset_groups_the_files_of_a_sample() -> None:
    samples = [*labelled(3), sample("v1.0/" + "n" * 150, b"png", image_format="png")]
    rows = list(grouped(io.BytesIO(shard("webdataset", samples))))
    for row, written in zip(rows, samples, strict=True):
        assert row["__key__"] == written.key
        assert row[written.image_format] == written.image
        assert row["edge.png"] == written.edge
        document = json.loads(row["json"])
        assert document["filename"] == written.filename
        assert document["sha256"] == written.sha256
        assert (document["width"], document["height"]) == (128, 96)
        assert row.get("cls", b"") == (b"" if written.label is None else b"%d" % written.label)
    assert [list(row)[1:] for row in rows[2:]] == [
        ["jpg", "edge.png", "json", "cls"],
        ["png", "edge.png", "json"],
    ]


def test_an_archive_says_nothing_of_when_and_where() -> None:
    with tarfile.open(fileobj=io.BytesIO(shard("webdataset", labelled(1)))) as archive:
        facts = {
            (file.mtime, file.uid, file.gid, file.uname, file.gname, file.mode) for file in archive
        }
    assert facts == {(0, 0, 0, "", "", 0o444)}


def crc32c(data: bytes) -> int:
    """Castagnoli's, bit-reversed, by table (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


CRC_TABLE = [_crc_of(byte) for byte in range(256)]


def masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32)


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value, an int or bytes, of the fields of a message in protobuf's wire format."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        more = True
        while more:
            value |= (data[at] & 0x7F) << shift
            more = data[at] >= 0x80
            at, shift = at + 1, shift + 7
        return value

    while at < len(data):
        number, wire_type = divmod(varint(), 8)
        value: Any = varint()
        if wire_type == 2:
            at, value = at + value, data[at : at + value]
        yield number, value


def features(record: bytes) -> dict[str, Any]:
    [(number, entries)] = fields(record)
    assert number == 1
    found = {}
    for _, entry in fields(entries):
        name, feature = dict(fields(entry)).values()
        [(kind, values)] = fields(feature)
        [(_, value)] = fields(values)
        if kind == 3:  # packed: a varint of two's complement without its field
            [(_, value)] = fields(b"\x08" + value)
            value -= 2**64 if value >= 2**63 else 0
        found[name.decode()] = value
    return found


def test_tfrecord_is_what_tensorflow_reads() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C
    samples = [*labelled(2), sample("bare", b"webp", image_format="webp")]
    samples[0] = replace(samples[0], label=-5)
    file = io.BytesIO(shard("tfrecord", samples))
    for written in samples:
        length = file.read(8)
        assert file.read(4) == masked(length)
        record = file.read(struct.unpack("<Q", length)[0])
        assert file.read(4) == masked(record)
        found = features(record)
        assert list(found) == sorted(found)
        wanted = {
            "image/encoded": written.image,
            "image/format": {"jpg": b"jpeg", "webp": b"webp"}[written.image_format],
            "image/height": 96,
            "image/width": 128,
            "image/filename": written.filename.encode(),
            "image/key": written.key.encode(),
            "image/key/sha256": written.sha256.encode(),
            "edge/encoded": written.edge,
            "edge/format": b"png",
        }
        if written.label is not None:
            wanted |= {"image/class/label": written.label, "image/class/text": "Kätzchen".encode()}
        assert found == wanted
    assert file.read() == b""


def test_parquet_tells_hugging_face_what_the_columns_are() -> None:
    body = shard("parquet", [*labelled(1), sample("bare", b"image")])
    assert (body[:4], body[-4:]) == (b"PAR1", b"PAR1")
    table = read_parquet(io.BytesIO(body)).read_all()
    told = json.loads(table.schema.metadata_str["huggingface"])["info"]["features"]
    assert list(told) == table.column_names
    assert told["image"] == told["edge"] == {"_type": "Image"}
    assert told["width"] == {"dtype": "int32", "_type": "Value"}
    assert told["label"] == {"dtype": "int64", "_type": "Value"}
    rows = table.to_struct_array().combine_chunks().to_pylist()
    assert rows[0]["image"] == {"bytes": noise(0, 3000), "path": "train/0000.jpg"}
    assert rows[0]["edge"]["path"] == "train/0000.edge.png"
    assert [row["label"] for row in rows] == [0, None]
    assert [row["label_text"] for row in rows] == ["Kätzchen", None]


def test_all_shards_of_parquet_have_one_schema() -> None:
    bodies = [shard("parquet", samples) for samples in ([], labelled(2), [sample("a", b"")])]
    first, *others = [read_parquet(io.BytesIO(body)).schema for body in bodies]
    assert all(schema == first for schema in others)


def test_large_images_make_small_row_groups() -> None:
    samples = labelled(7)
    whole = shard("parquet", samples)
    file = io.BytesIO()
    dataset_format("parquet").write(file, samples, 10 << 20)  # three of these make a group
    split = file.getvalue()
    assert samples_in("parquet", split) == samples
    # the footer names every column of every group
    assert split.count(b"sha256") - whole.count(b"sha256") == 2


@pytest.mark.parametrize(("largest_bytes", "rows"), [(12_000, 20), (1 << 20, 8), (20 << 20, 1)])
def test_few_large_rows_of_parquet_are_held_at_once(largest_bytes: int, rows: int) -> None:
    file = io.BytesIO()
    dataset_format("parquet").write(file, labelled(3), largest_bytes)
    metadata = read_parquet(file).schema.metadata_str["huggingface"]
    assert json.loads(metadata)["rows_per_batch"] == rows
