"""The first directory of a TIFF file, in both byte orders and both widths."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from imagemill_worker.codecs.tiff_directory import read_directory
from imagemill_worker.errors import PictureError
from tests.helpers.pictures import Array, photograph
from tests.helpers.tiff_files import Tiff, of_samples


def picture() -> Array:
    return np.asarray(photograph().resize((96, 80)))


def written(order: str, *, is_big: bool) -> Tiff:
    file = of_samples(picture())
    file.order, file.is_big = order, is_big
    return file


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_big", [False, True])
def test_fields_are_those_that_were_written(order: str, is_big: bool) -> None:
    body = written(order, is_big=is_big).encode()
    directory = read_directory(body)
    assert (directory.order, directory.is_big) == (order, is_big)
    assert directory.numbers(258).tolist() == [8, 8, 8]
    assert directory.numbers(258, 2).tolist() == [8, 8]
    assert directory.number(256, 0) == 96
    assert directory.number(339, 7) == 7
    lengths = directory.numbers(279).tolist()
    assert lengths == [16 * 96 * 3] * 5
    strips = zip(directory.numbers(273).tolist(), lengths, strict=True)
    assert b"".join(body[at : at + length] for at, length in strips) == picture().tobytes()
    assert directory.ends_within(len(body))
    assert not directory.ends_within(len(body) - 1)


def test_field_without_a_picture_in_it_may_lie_anywhere() -> None:
    file = written("<", is_big=False)
    file.fields[270] = (7, list(b"a description"))
    body = bytearray(file.encode())
    at = body.index(struct.pack("<HHI", 270, 7, 13))
    struct.pack_into("<I", body, at + 8, 2**32 - 1)
    assert 270 not in read_directory(bytes(body)).fields


@pytest.mark.parametrize("length", [2, 7, 9, 40])
def test_directory_that_is_not_all_there_is_truncated(length: int) -> None:
    with pytest.raises(PictureError) as caught:
        read_directory(written("<", is_big=False).encode()[:length])
    assert caught.value.reason == "truncated"


def test_addresses_that_overflow_are_outside_of_the_file() -> None:
    body = bytearray(written(">", is_big=True).encode())
    at = body.index(struct.pack(">HHQ", 273, 16, 5))
    (strips_at,) = struct.unpack_from(">Q", body, at + 12)
    struct.pack_into(">Q", body, strips_at, 2**64 - 100)
    assert not read_directory(bytes(body)).ends_within(len(body))


def test_directory_of_more_fields_than_there_can_be_is_corrupt() -> None:
    body = bytearray(written(">", is_big=True).encode())
    struct.pack_into(">Q", body, 16, 70_000)
    with pytest.raises(PictureError, match="directory has 70000 fields") as caught:
        read_directory(bytes(body))
    assert caught.value.reason == "corrupt"
