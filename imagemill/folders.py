"""The folders of a run on this machine, checked before anything starts."""

from __future__ import annotations

import tempfile
from pathlib import Path

from imagemill.errors import UsageError


def checked_folders(photos: Path, out: Path) -> tuple[Path, Path]:
    """Both folders as absolute paths. Raises UsageError when they cannot be used."""
    if not photos.is_dir():
        raise UsageError(f'PHOTOS: "{photos}" is not a folder.')
    if out.exists() and not out.is_dir():
        raise UsageError(f'OUT: "{out}" is not a folder.')
    photos, out = photos.resolve(), out.resolve()
    if photos == out or photos in out.parents or out in photos.parents:
        raise UsageError(f'OUT: "{out}" and PHOTOS "{photos}" must not contain each other.')
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UsageError(f'OUT: "{out}" cannot be written: {error.strerror}.') from None
    return photos, out
