"""Opens TIFF files, including those that Pillow would refuse or silently misread."""

from __future__ import annotations

import struct

import numpy as np
from PIL import Image

from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs import tiff_directory as tags
from imagemill_worker.codecs.file_kind import Kind
from imagemill_worker.codecs.pillow_plugins import read_header, read_header_by_libtiff
from imagemill_worker.codecs.tiff_directory import TiffDirectory, ends_early, read_directory
from imagemill_worker.errors import PictureError

# In the info of an image with 16 bits: its largest sample, and whether white is zero.
SAMPLE_SCALE = "sample scale"
_UNCOMPRESSED, _SEPARATE, _WHITE_IS_ZERO, _YCBCR = 1, 2, 0, 6
_UNSIGNED = 1
_FORMAT_NAMES = {2: "signed ", 3: "floating-point ", 5: "complex ", 6: "complex "}
_LONG8, _IFD8, _LONG = 16, 18, 4
_MOST_SAMPLES = 64  # of a pixel: Pillow reads six


def open_tiff(body: bytes) -> Image.Image:
    """Pillow's lazy image of a TIFF file.

    Raises:
        PictureError: `truncated`, `corrupt` or `unsupported_format`. Pillow's own errors pass.
    """
    directory = read_directory(body)
    _refuse_samples(directory)
    is_unknown = directory.is_big and directory.order == ">"
    is_subsampled = _is_subsampled(directory)
    if (is_unknown or is_subsampled) and not directory.ends_within(len(body)):
        raise ends_early()
    if is_unknown:
        body = classic(body, directory)
    if is_subsampled:
        return read_header_by_libtiff(body)
    image = read_header(body, Kind.TIFF)
    most = 4_095 if directory.number(tags.BITS_PER_SAMPLE, 1) == 12 else 65_535
    is_inverted = directory.number(tags.PHOTOMETRIC, 1) == _WHITE_IS_ZERO
    image.info[SAMPLE_SCALE] = (most, is_inverted)  # Pillow ignores both
    return image


def _refuse_samples(directory: TiffDirectory) -> None:
    bits = directory.numbers(tags.BITS_PER_SAMPLE, _MOST_SAMPLES)
    is_separate = directory.number(tags.PLANAR_CONFIGURATION, 1) == _SEPARATE
    if is_separate and set(bits.tolist()) != {8}:  # Pillow and OpenCV both misread them
        detail = "TIFF files with separate planes of other than 8 bits are not supported."
        raise PictureError(Reason.UNSUPPORTED_FORMAT, detail)
    most_bits = int(bits.max(initial=1))
    for number in directory.numbers(tags.SAMPLE_FORMAT, _MOST_SAMPLES).tolist() or [_UNSIGNED]:
        if number in _FORMAT_NAMES or (number == _UNSIGNED and most_bits > 16):
            kind = f"{_FORMAT_NAMES.get(number, '')}{most_bits}-bit samples"
            detail = f"TIFF files with {kind} are not supported: their white is not defined."
            raise PictureError(Reason.UNSUPPORTED_FORMAT, detail)


def _is_subsampled(directory: TiffDirectory) -> bool:
    """Whether colour has fewer samples than brightness, of which Pillow's own reader knows nothing.

    Without a field that says so a file is (TIFF 6.0, section 21), unless it has bytes for all.
    """
    layout = directory.number(tags.PHOTOMETRIC, 0), directory.number(tags.COMPRESSION, 1)
    if layout != (_YCBCR, _UNCOMPRESSED):
        return False
    subsampling = directory.numbers(tags.YCBCR_SUBSAMPLING, 2).tolist()
    if subsampling:
        return bool(subsampling != [1, 1])
    pixels = directory.number(tags.WIDTH, 0) * directory.number(tags.HEIGHT, 0)
    return int(directory.numbers(tags.STRIP_BYTES).sum()) < 3 * pixels


def classic(body: bytes, directory: TiffDirectory) -> bytes:
    """A big-endian BigTIFF, which Pillow does not know, as a classic file of the same picture.

    Everything stays where it is; the header leads to a directory that is put behind it. So the
    file must not be cut off: the directory would be taken for pixels.

    Raises:
        PictureError: `corrupt`.
    """
    padding = bytes(len(body) % 2)
    at = len(body) + len(padding)
    values_at = at + 2 + 12 * len(directory.fields) + 4
    entries, values = bytearray(), bytearray()
    for tag in sorted(directory.fields):
        kind, value = _narrowed(directory, tag)
        if len(values) + len(value) > len(body):
            raise PictureError(Reason.CORRUPT, "The TIFF file's fields lie in each other.")
        entries += struct.pack(">HHI", tag, kind, directory.fields[tag].count)
        if len(value) > 4:
            entries += struct.pack(">I", values_at + len(values))
            values += value + bytes(len(value) % 2)
        else:
            entries += value.ljust(4, b"\0")
    header = struct.pack(">2sHI", b"MM", 42, at)
    count = struct.pack(">H", len(directory.fields))
    return b"".join(
        [header, memoryview(body)[len(header) :], padding, count, entries, bytes(4), values]
    )


def _narrowed(directory: TiffDirectory, tag: int) -> tuple[int, bytes]:
    """A field's type and value with 32 bits for each 64; offsets in a file of ours have no more."""
    field = directory.fields[tag]
    if field.kind not in (_LONG8, _IFD8):
        return field.kind, bytes(field.value)
    most = np.uint64(0xFFFF_FFFF)
    return _LONG, np.minimum(directory.numbers(tag), most).astype(">u4").tobytes()
