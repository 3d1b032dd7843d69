"""Names of results: those of their sources, changed only where a folder could not hold them.

A bucket can hold more than a folder can. Both get the same names, so results can be copied from one
to the other.
"""

from __future__ import annotations

import hashlib
import re

MOST_KEY_BYTES = 1024  # S3 user guide, "Creating object key names"
MOST_PART_BYTES = 255  # of a file's name, in the file systems of Linux, macOS and Windows

# What is put into names that are changed.
CHANGED_NAME = frozenset("%~")

_NO_FILE_NAME = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_HALF_ESCAPE = re.compile(r"%[0-9A-F]?$")


def keeps_its_name(relative: str, most_extension_bytes: int) -> bool:
    """Whether every result surely has the name of its source, as is quickly seen of most names."""
    if not relative.isprintable() or relative.startswith(("/", ".")):
        return False
    if "//" in relative or "/." in relative:
        return False
    return len(relative.encode()) <= MOST_PART_BYTES - most_extension_bytes


def output_name(relative: str, extension: str, most_bytes: int) -> str:
    """The name of a result, of at most `most_bytes`, that ends in `extension`.

    An ordinary name stays as it is. Elsewhere percent-encoding takes the place of

    - a slash that begins a name, or follows another slash, so that no part is empty;
    - parts that are `.` or `..`;
    - control characters, and what is no Unicode.

    A part of more than 255 bytes is cut, and ends in the hash of the whole part. Of a name that is
    too long as a whole, the hash of all of it takes the place of the last parts.
    """
    if keeps_its_name(relative, len(extension)):
        return relative if relative.endswith(extension) else relative + extension
    name = _escaped(relative)
    if not name.endswith(extension):
        name += extension
    return _shortened(name, extension, most_bytes)


def escaped_slashes(relative: str) -> str:
    """The name without an empty part: a slash that begins one is percent-encoded."""
    return re.sub(r"^/|(?<=/)/", "%2F", relative)


def _escaped(relative: str) -> str:
    name = _NO_FILE_NAME.sub(_percent_encoded, escaped_slashes(relative))
    return "/".join(
        part.replace(".", "%2E") if part in (".", "..") else part for part in name.split("/")
    )


def _percent_encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def _shortened(name: str, extension: str, most_bytes: int) -> str:
    *folders, last = name.split("/")
    parts = [*(_short_part(folder, "") for folder in folders), _short_part(last, extension)]
    short = "/".join(parts)
    if len(short.encode()) <= most_bytes:
        return short
    end = _hash_of(name) + extension
    kept: list[str] = []
    for part in parts:
        if len("/".join([*kept, part, end]).encode()) > most_bytes:
            break
        kept.append(part)
    return "/".join([*kept, end])


def _short_part(part: str, extension: str) -> str:
    """The part, or its beginning with its hash and extension. Cut between characters."""
    body = part.encode()
    if len(body) <= MOST_PART_BYTES:
        return part
    end = _hash_of(part) + extension
    head = body[: MOST_PART_BYTES - len(end)].decode(errors="ignore")
    return _HALF_ESCAPE.sub("", head) + end


def _hash_of(text: str) -> str:
    return "~" + hashlib.sha256(text.encode()).hexdigest()[:16]
