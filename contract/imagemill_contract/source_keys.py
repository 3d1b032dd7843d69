"""What the key of a source object says by itself."""

from __future__ import annotations

import re

_UNREADABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

# Extensions of files that are no pictures. Everything else is judged by its bytes.
_NO_PICTURE = frozenset(
    {"csv", "html", "ini", "js", "json", "jsonl", "log", "lst", "md", "py", "rst", "sha256", "tsv"}
    | {"txt", "xml", "yaml", "yml", "db", "parquet", "tfrecord"}
    | {"7z", "bz2", "gz", "tar", "tgz", "xz", "zip", "zst"}
)


# Of nearly all objects. A look at the end of a key is a fifth of the work of taking it apart.
_PICTURES = (".jpg", ".jpeg", ".JPG", ".JPEG", ".png", ".webp", ".tif", ".tiff")


def may_be_picture(key: str) -> bool:
    """Whether to open the object: its name is no folder marker, dotfile, text or archive."""
    if key.endswith(_PICTURES) and "/." not in key and key[0] != ".":
        return True
    name = key.rpartition("/")[2]
    if not name or name.startswith(".") or name == "Thumbs.db":
        return False
    stem, dot, extension = name.rpartition(".")
    return not (dot and stem and extension.lower() in _NO_PICTURE)


def is_hidden(key: str) -> bool:
    """Whether the file, or a folder that it lies in, has a name with a leading dot."""
    return any(part.startswith(".") for part in key.split("/"))


def is_readable_key(key: str) -> bool:
    """Whether obstore can address this key, so that no slower client is needed.

    Such a key has no empty, `.` or `..` part, no control character, and nothing but Unicode.
    """
    return not {"", ".", ".."} & set(key.split("/")) and not _UNREADABLE.search(key)
