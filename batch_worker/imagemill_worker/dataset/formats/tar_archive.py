"""Tar archives: for each file a header, its bytes, and zeros up to the next block.

Headers are those of `tarfile`. But it takes longer to make one, and to read one, than all else that
is done for a small file. So a plain header is made from one of `tarfile`'s, by the name, the length
and the checksum, in which alone they differ; and a header is read here only if it has every byte of
the one that would be made. All others are left to `tarfile`: of names that are long or not ASCII,
by other writers, and damaged ones.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO

_NAME, _SIZE, _CHECKSUM = slice(0, 100), slice(124, 135), slice(148, 155)
_LARGEST = 8**11 - 1


def write_archive(file: BinaryIO, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files, by name, as POSIX pax; it is plain ustar unless a name is long.

    They have neither a time nor an owner.
    """
    written_bytes = 0
    for name, body in files:
        header, padding = header_of(name, len(body)), padding_of(len(body))
        file.writelines((header, body, padding))
        written_bytes += len(header) + len(body) + len(padding)
    file.write(_end_of_archive(written_bytes))


def files_in(file: BinaryIO) -> Iterator[tuple[str, int, int]]:
    """Name, length and offset in `file` of each file in the archive that begins where it stands.

    Raises ValueError if the archive is damaged or has no end.
    """
    at = start = file.tell()
    while (found := _plain(file.read(tarfile.BLOCKSIZE)) or _any(file, at)) is not None:
        name, length, header_bytes = found
        yield name, length, at + header_bytes
        at += header_bytes + length + -length % tarfile.BLOCKSIZE
        file.seek(at)
    file.seek(at)
    if file.read(2 * tarfile.RECORDSIZE) != _end_of_archive(at - start):
        # for tarfile, a damaged header is the end
        raise ValueError("a header is damaged, or the end of the archive is missing")


def header_of(name: str, length: int) -> bytes:
    """The header of a file, as `tarfile` makes it."""
    if not name.isascii() or len(name) > _NAME.stop or length > _LARGEST:
        return _made(name, length)
    text, size = name.encode(), b"%011o" % length
    checksum = b"%06o\0" % (_SUM + sum(text) + sum(size))
    return b"".join((text.ljust(_NAME.stop, b"\0"), _TO_SIZE, size, _TO_SUM, checksum, _REST))


def padding_of(length: int) -> bytes:
    """What follows the bytes of a file."""
    return bytes(-length % tarfile.BLOCKSIZE)


def _made(name: str, length: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = length
    info.mode = 0o444
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8")


_HEADER = _made("", 0)
_TO_SIZE = _HEADER[_NAME.stop : _SIZE.start]
_TO_SUM = _HEADER[_SIZE.stop : _CHECKSUM.start]
_REST = _HEADER[_CHECKSUM.stop :]
_SUM = int(_HEADER[_CHECKSUM].rstrip(b"\0"), 8) - sum(_HEADER[_SIZE])


def _plain(header: bytes) -> tuple[str, int, int] | None:
    """Name and length of a file, and bytes of its header; None for a header of another kind."""
    try:
        name, length = header[_NAME].partition(b"\0")[0].decode("ascii"), int(header[_SIZE], 8)
    except ValueError:
        return None
    return (name, length, len(header)) if header == header_of(name, length) else None


def _any(file: BinaryIO, at: int) -> tuple[str, int, int] | None:
    """The same of whatever `tarfile` can read there; None at the end of the archive."""
    file.seek(at)
    try:
        with tarfile.open(fileobj=file, mode="r:", encoding="utf-8") as archive:
            found = archive.next()
    except tarfile.TarError as error:
        raise ValueError(f"the archive is damaged: {error}") from error
    return (found.name, found.size, found.offset_data - at) if found else None


def _end_of_archive(written_bytes: int) -> bytes:
    """Two empty blocks, and the padding of the last record."""
    end_bytes = 2 * tarfile.BLOCKSIZE
    return bytes(end_bytes + -(written_bytes + end_bytes) % tarfile.RECORDSIZE)
