"""Which kind of file some bytes are, told from the bytes alone."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from imagemill_contract.outcomes import Reason
from imagemill_worker.errors import PictureError
from imagemill_worker.pixels import FileBytes

_ENOUGH_BYTES = 4096


class Kind(StrEnum):
    """The kinds of picture that can be decoded; the values are Pillow's names."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    AVIF = "AVIF"
    JPEG2000 = "JPEG2000"
    ICO = "ICO"
    HEIF = "HEIF"
    JXL = "JXL"


_SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"BM", Kind.BMP),
    (b"II*\0", Kind.TIFF),
    (b"MM\0*", Kind.TIFF),
    (b"II+\0", Kind.TIFF),  # BigTIFF
    (b"MM\0+", Kind.TIFF),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Kind.JPEG2000),
    (b"\xff\x4f\xff\x51", Kind.JPEG2000),  # code stream without a container
    (b"\0\0\1\0", Kind.ICO),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Kind.JXL),
    (b"\xff\x0a", Kind.JXL),  # code stream without a container
)

# Brands of the ISO base media format (ISO/IEC 14496-12), which still pictures and films share.
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})
_FILM_BRANDS = {b"crx ": "Canon CR3", b"qt  ": "QuickTime", b"M4A ": "M4A"}

_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "PDF"),
    (b"8BPS", "PSD"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"DDS ", "DDS"),
    (b"qoif", "QOI"),
    (b"gimp xcf", "XCF"),
    (b"icns", "ICNS"),
    (b"AT&TFORM", "DjVu"),
    (b"\0\0\2\0", "Windows cursor"),
    (b"FUJIFILMCCD-RAW", "Fujifilm RAF"),
    (b"IIRO", "Olympus ORF"),
    (b"IIU\0", "Panasonic RW2"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (b"ID3", "MP3"),
    (b"OggS", "Ogg"),
    (b"fLaC", "FLAC"),
    (b"FLV\x01", "Flash video"),
)


def kind_of(file: FileBytes) -> Kind:
    """The kind of picture that a file is.

    Raises:
        PictureError: `empty`, `unsupported_format` (a picture or film of a kind that is not
            decoded, which the detail names) or `not_an_image`.
    """
    body = bytes(file[:_ENOUGH_BYTES])
    if not body:
        raise PictureError(Reason.EMPTY, "The object has no bytes.")
    for signature, kind in _SIGNATURES:
        if body.startswith(signature):
            return kind
    for container in (_riff_kind, _iso_media_kind):
        found = container(body)
        if found is not None:
            return found
    name = _other_name(body)
    if name is not None:
        raise PictureError(Reason.UNSUPPORTED_FORMAT, f"{name} files are not supported.")
    raise PictureError(Reason.NOT_AN_IMAGE, f"{_what_it_is(body)}, not a picture.")


def _riff_kind(body: bytes) -> Kind | None:
    if body[:4] != b"RIFF":
        return None
    if body[8:12] == b"WEBP":
        return Kind.WEBP
    form = body[8:12].decode("ascii", "replace").strip()
    raise PictureError(Reason.UNSUPPORTED_FORMAT, f"RIFF {form} files are not supported.")


def _iso_media_kind(body: bytes) -> Kind | None:
    if body[4:8] != b"ftyp":
        return None
    length = int.from_bytes(body[:4])
    major, rest = body[8:12], body[16 : min(length, 256)]
    brands = {major, *(rest[i : i + 4] for i in range(0, len(rest), 4))}
    if brands & _AVIF_BRANDS:
        return Kind.AVIF
    if brands & _HEIF_BRANDS:
        return Kind.HEIF
    name = _FILM_BRANDS.get(major, "MP4")
    raise PictureError(Reason.UNSUPPORTED_FORMAT, f"{name} files are not supported.")


def _other_name(body: bytes) -> str | None:
    for signature, name in _OTHERS:
        if body.startswith(signature):
            return name
    if b"<svg" in body.lower():
        return "SVG"
    if body[:2] in (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7") and body[2:3].isspace():
        return "Netpbm"
    return None


def _what_it_is(body: bytes) -> str:
    start = body[:512]
    tests: tuple[tuple[Callable[[bytes], bool], str], ...] = (
        (lambda b: not b.strip(b"\0"), "The object is zero bytes only"),
        (_is_html, "The object is HTML"),
        (
            lambda b: b.startswith((b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")),
            "The object is an archive",
        ),
        (_is_text, "The object is text"),
    )
    for is_so, sentence in tests:
        if is_so(start):
            return sentence
    return "The object begins like no known kind of file"


def _is_html(start: bytes) -> bool:
    return start.lstrip().lower().startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _is_text(start: bytes) -> bool:
    try:
        text = start[:500].decode("utf-8", "strict" if len(start) < 500 else "ignore")
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char.isspace() for char in text)
