"""The filters of a request: which objects of its source are taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from imagemill_contract.errors import RequestError
from imagemill_contract.fields import ByteCount, Rule, WholeNumber, shown
from imagemill_contract.locations import split_object_address

_BYTES = ByteCount(0, 5 * 2**40)  # S3 holds objects of up to 5 TiB
_LIMIT = WholeNumber(1, 1_000_000_000)


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters. The default takes everything.

    Attributes:
        exclude: What to leave out: relative keys, names, or names without their last extension;
            or the address of a text file with one of these on each line.
        include_globs: Take only keys that match one of these.
        exclude_globs: Leave out keys that match one of these.
        min_bytes: Leave out smaller objects.
        max_bytes: Leave out larger objects.
        limit: Take only this many objects, the first in key order, for a trial.

    Globs match the key below the source: `*` stands for any characters, slashes included, `?` for
    one character, `[ab]` for one of these.
    """

    exclude: tuple[str, ...] | str = ()
    include_globs: tuple[str, ...] = ()
    exclude_globs: tuple[str, ...] = ()
    min_bytes: int | None = None
    max_bytes: int | None = None
    limit: int | None = None

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(item.name for item in fields(cls))

    @classmethod
    def from_document(cls, document: Mapping[str, object], *, allow_files: bool) -> Selection:
        """The filters among the fields of a request.

        Raises RequestError with one sentence that names the field, its value and what is allowed.
        """
        selection = cls(
            exclude=_exclude(document.get("exclude", []), allow_files=allow_files),
            include_globs=_texts(document, "include_globs"),
            exclude_globs=_texts(document, "exclude_globs"),
            min_bytes=read_number(document, "min_bytes", _BYTES),
            max_bytes=read_number(document, "max_bytes", _BYTES),
            limit=read_number(document, "limit", _LIMIT),
        )
        if (selection.min_bytes or 0) > (selection.max_bytes or _BYTES.most):
            raise RequestError(
                f"min_bytes: {selection.min_bytes} is not allowed; "
                f"it must not be more than max_bytes, {selection.max_bytes}."
            )
        return selection


def read_number(
    document: Mapping[str, object], name: str, rule: WholeNumber | ByteCount
) -> int | None:
    """A field's number, or None if it is not given. Raises RequestError."""
    value = read_value(document, name, rule)
    return value if isinstance(value, int) else None


def read_value(document: Mapping[str, object], name: str, rule: Rule) -> object:
    """A field's value, or None if it is not given. Raises RequestError."""
    if name not in document:
        return None
    try:
        return rule.read(document[name])
    except ValueError:
        value = shown(document[name])
        raise RequestError(f"{name}: {value} is not allowed; it must be {rule.allowed}.") from None


def _exclude(value: object, *, allow_files: bool) -> tuple[str, ...] | str:
    if isinstance(value, str):
        return checked_address(value, "exclude", allow_files=allow_files)
    return _texts({"exclude": value}, "exclude")


def checked_address(value: object, name: str, *, allow_files: bool) -> str:
    """The address of an object. Raises RequestError, also for a file if files are not allowed."""
    if not isinstance(value, str):
        raise RequestError(f"{name}: {shown(value)} is not the address of an object.")
    location, _ = split_object_address(value, name)
    if location.is_file and not allow_files:
        raise RequestError(f"{name}: {shown(value)} is not allowed; it must be s3://.")
    return value


def _texts(document: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise RequestError(f"{name}: {shown(value)} is not allowed; it must be a list of texts.")
    return tuple(value)
