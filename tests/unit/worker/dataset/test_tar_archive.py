"""Headers of tar archives: byte by byte those of `tarfile`, and read as it reads them."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagemill_worker.dataset.formats.tar_archive import files_in, header_of, write_archive

# A file's name does not end in a slash.
_CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
NAMES = st.text(_CHARACTERS, min_size=1).map(lambda name: name.rstrip("/") or "a")


@given(NAMES, st.integers(0, 8**12))
@example("n" * 100, 0)
@example("n" * 101, 0)
@example("folder/" * 14 + "ab", 8**11 - 1)
@example("ä", 8**11)
def test_a_header_is_the_one_of_tarfile(name: str, length: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = length, 0o444
    assert header_of(name, length) == info.tobuf(tarfile.PAX_FORMAT, "utf-8")


@given(st.lists(st.tuples(NAMES, st.binary(max_size=1500))), st.integers(0, 3))
def test_what_was_written_is_found_by_tarfile_and_here(
    files: list[tuple[str, bytes]], blocks_before: int
) -> None:
    before = bytes(512 * blocks_before)
    file = io.BytesIO()
    write_archive(file, files)
    with tarfile.open(fileobj=io.BytesIO(file.getvalue()), encoding="utf-8") as archive:
        members = [(member.name, member.size, member.offset_data) for member in archive]
    assert [name for name, _, _ in members] == [name for name, _ in files]
    whole = before + file.getvalue()
    behind = io.BytesIO(whole)
    behind.seek(len(before))
    found = list(files_in(behind))
    assert found == [(name, size, offset + len(before)) for name, size, offset in members]
    assert [whole[offset : offset + size] for _, size, offset in found] == [it for _, it in files]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archives_of_other_writers_are_read(form: int) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name in ("a", "folder/" * 20 + "b", "c"):
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.uname = 3, 1_700_000_000, "somebody"
            archive.addfile(info, io.BytesIO(b"abc"))
    file.seek(0)
    found = list(files_in(file))
    assert [(name, length) for name, length, _ in found] == [
        ("a", 3),
        ("folder/" * 20 + "b", 3),
        ("c", 3),
    ]
    assert all(file.getvalue()[at : at + length] == b"abc" for _, length, at in found)


@pytest.mark.parametrize("lost", [1, 512, 1024, 1536, 9000])
def test_an_archive_without_its_end_is_refused(lost: int) -> None:
    file = io.BytesIO()
    write_archive(file, [("a", b"abc"), ("b", b"abc")])
    file.truncate(len(file.getvalue()) - lost)
    file.seek(0)
    with pytest.raises(ValueError, match="the end of the archive is missing"):
        list(files_in(file))


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(ValueError, match="damaged"):
        list(files_in(io.BytesIO(b"picture" * 200)))
    with pytest.raises(ValueError, match="damaged"):
        list(files_in(io.BytesIO()))
