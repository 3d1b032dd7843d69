"""The folders of a run on this machine, checked before anything starts."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from imagemill.errors import UsageError
from imagemill.paths import escaped, path_errors, resolved
from imagemill_contract.folder_source import LeftOut, names_in, no_pictures
from imagemill_contract.locations import Location
from imagemill_contract.source_keys import is_readable_key, may_be_picture

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Folders:
    """Where pictures are and where results go, both absolute."""

    photos: Path
    out: Path


def checked_folders(photos: str, out: str) -> Folders:
    """The folders of a run, from what was typed; OUT need not exist yet.

    Raises UsageError if they cannot be used together.
    """
    with path_errors("PHOTOS", photos):
        source = _local(photos, "PHOTOS")
        if not source.is_dir():
            raise UsageError(f'PHOTOS: "{escaped(photos)}" is not a folder.')
        source = resolved(source, "PHOTOS")
    with path_errors("OUT", out):
        output = _local(out, "OUT")
        if output.exists() and not output.is_dir():
            raise UsageError(f'OUT: "{escaped(out)}" is not a folder.')
        output = resolved(output, "OUT")
    if source == output or source in output.parents or output in source.parents:
        raise UsageError(
            f'OUT: "{escaped(str(output))}" and PHOTOS "{escaped(str(source))}" must not contain '
            "each other."
        )
    return Folders(source, output)


def make_writable(out: Path) -> None:
    """Make the folder for results if needed. Raises UsageError if files cannot be written to it."""
    with path_errors("OUT", str(out)):
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass


def check_has_pictures(photos: Path) -> None:
    """Raises UsageError, with the planner's sentence, if no file can be a picture by its name.

    Cases of doubt are left to the planner: names that cannot be keys, folders that cannot be read.
    """
    left_out: Counter[str] = Counter()
    try:
        for found in names_in(photos, _raise):
            if found.left_out is not None:
                left_out[found.left_out] += 1
            elif may_be_picture(found.key) or not is_readable_key(found.key):
                return
            else:
                left_out[LeftOut.NO_PICTURE] += 1
    except OSError:
        return
    raise UsageError(no_pictures(Location.of_folder(PurePosixPath(photos)), left_out))


def _raise(error: OSError) -> None:
    raise error


def _local(typed: str, name: str) -> Path:
    if _ADDRESS.match(typed):
        raise UsageError(
            f'{name}: "{escaped(typed)}" must be a folder on this machine; '
            "only a stack on AWS processes buckets."
        )
    return Path(typed)
