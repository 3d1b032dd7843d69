"""Options that choose pictures, and the fields of a run request that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from imagemill.errors import UsageError
from imagemill.options.groups import OptionGroup, group_of
from imagemill.options.values import number_or_text
from imagemill.paths import escaped, path_errors, resolved
from imagemill_contract.locations import Location


def _filter(metavar: str, text: str) -> object:
    return typer.Option(metavar=metavar, help=text)


@dataclass(frozen=True, slots=True)
class Filters:
    """The choice of pictures as it was typed. Each field is the option of its name."""

    manifest: Annotated[
        str | None, _filter("FILE", "Take only the keys in this file (JSON lines or CSV)")
    ] = None
    exclude: Annotated[
        str | None, _filter("FILE", "Leave out what this file lists: a key or name per line")
    ] = None
    include: Annotated[
        list[str] | None, _filter("GLOB", "Take only keys that match; repeatable")
    ] = None
    exclude_glob: Annotated[
        list[str] | None, _filter("GLOB", "Leave out keys that match; repeatable")
    ] = None
    min_bytes: Annotated[
        str | None, _filter("BYTES", "Leave out smaller files: bytes, or a size such as 100kB")
    ] = None
    max_bytes: Annotated[
        str | None, _filter("BYTES", "Leave out larger files: bytes, or a size such as 20MB")
    ] = None
    limit: Annotated[int | None, _filter("N", "Take only the first N, for a trial")] = None
    full: Annotated[bool, typer.Option("--full", help="Also do what an earlier run has done")] = (
        False
    )
    verify_source: Annotated[
        bool,
        typer.Option("--verify-source", help="Compare each picture with its MD5 in S3, if known"),
    ] = False

    def to_fields(self, *, of_bucket: bool = False) -> dict[str, object]:
        """The fields of a run request.

        If the source is in a bucket, the run cannot read files of this machine, so the names to
        exclude travel in the request. Raises UsageError for a file that cannot be read.
        """
        travels = of_bucket and self.exclude is not None and not self.exclude.startswith("s3://")
        values = {
            "manifest": self.manifest and _address_of(self.manifest, "--manifest"),
            "exclude": self.exclude
            and (_lines_of(self.exclude) if travels else _address_of(self.exclude, "--exclude")),
            "include_globs": self.include,
            "exclude_globs": self.exclude_glob,
            "min_bytes": self.min_bytes and number_or_text(self.min_bytes),
            "max_bytes": self.max_bytes and number_or_text(self.max_bytes),
            "limit": self.limit,
            "full": self.full or None,
            "verify_source": self.verify_source or None,
        }
        return {name: value for name, value in values.items() if value not in (None, [])}


def _address_of(text: str, name: str) -> str:
    """An `s3://` address as it is; for a path, the address of the file. Raises UsageError."""
    if text.startswith("s3://"):
        return text
    with path_errors(name, text):
        if not Path(text).is_file():
            raise UsageError(f'{name}: "{escaped(text)}" is not a file.')
        path = resolved(Path(text), name)
    return Location.of_folder(PurePosixPath(path.parent)).address_of(path.name)


def _lines_of(path: str) -> list[str]:
    try:
        with path_errors("--exclude", path):
            lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UsageError(f'--exclude: "{escaped(path)}" is not a text in UTF-8.') from None
    return [line.strip() for line in lines if line.strip()]


FILTERS: OptionGroup[Filters] = group_of(Filters, lambda typed: Filters(**typed))
