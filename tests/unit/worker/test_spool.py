"""Products wait in temporary files, none over another, until they are packed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imagemill_worker.errors import TryAgainError
from imagemill_worker.spool import (
    Spooled,
    SpoolWriter,
    read_at,
    sha256_of,
    temporary_file,
)


def test_what_many_threads_append_lies_apart_and_is_read_back() -> None:
    bodies = [bytes([number % 251]) * (number * 37 % 5000) for number in range(400)]
    with temporary_file() as file:
        writer = SpoolWriter(file.fileno())
        with ThreadPoolExecutor(8) as pool:
            offsets = list(pool.map(writer.append, bodies))
        for offset, body in zip(offsets, bodies, strict=True):
            assert Spooled(file.fileno(), offset, len(body)).read() == body
        assert os.fstat(file.fileno()).st_size == sum(map(len, bodies))


def test_lane_that_follows_another_appends_behind_what_it_left() -> None:
    with temporary_file() as file:
        assert SpoolWriter(file.fileno()).append(b"first") == 0
        assert SpoolWriter(file.fileno()).append(b"second") == 5
        assert read_at(file.fileno(), 0, 11) == b"firstsecond"


def test_nothing_is_read_as_nothing() -> None:
    with temporary_file() as file:
        assert read_at(file.fileno(), 0, 0) == b""


@pytest.mark.parametrize(("offset", "length"), [(0, 11), (10, 1), (99, 1)])
def test_file_that_is_shorter_than_it_was_asks_for_another_attempt(
    offset: int, length: int
) -> None:
    with temporary_file() as file:
        file.write(b"ten bytes.")
        file.flush()
        with pytest.raises(TryAgainError, match="has become shorter"):
            read_at(file.fileno(), offset, length)


def test_full_disk_asks_for_another_attempt() -> None:
    with (
        Path("/dev/full").open("r+b", buffering=0) as full,
        pytest.raises(TryAgainError, match="No space left"),
    ):
        SpoolWriter(full.fileno()).append(b"x")


def test_folder_that_cannot_be_written_asks_for_another_attempt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    with pytest.raises(TryAgainError, match="Making a temporary file"):
        temporary_file()


def test_temporary_file_has_no_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with temporary_file() as file:
        file.write(b"x")
        assert list(tmp_path.iterdir()) == []


def test_digest_is_of_the_whole_file_wherever_it_was_read_to() -> None:
    body = bytes(range(256)) * 9000
    with temporary_file() as file:
        file.write(body)
        file.seek(1234)
        assert sha256_of(file) == hashlib.sha256(body).hexdigest()
