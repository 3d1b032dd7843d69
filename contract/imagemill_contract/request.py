"""A request for a run: the input of an execution of the state machine, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imagemill_contract.errors import RequestError
from imagemill_contract.fields import Rule, TrueOrFalse, WholeNumber, check_names, shown
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.windows import Window

# `closes` is for the state machine alone: until when it waits for the window's uploads.
_FIELDS = ("source", "window", "closes", "output", "recipe", "shards", "full", "prune", "dry_run")
_TRUE_OR_FALSE = TrueOrFalse()
_SHARDS = WholeNumber(1, 1_000_000)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is to do: all objects at `source`, or what was uploaded in `window`.

    Attributes:
        recipe: What is done to each image.
        source: Where the pictures are listed, or None.
        window: The window whose uploads are taken, or None.
        output: Where results go, or None for the stack's output bucket.
        shards: Number of shards instead of the planner's choice, for measurements.
        full: Do also what is done already.
        prune: Remove the results of sources that are gone.
        dry_run: Say what would be done, and do nothing.
    """

    recipe: Recipe
    source: Location | None = None
    window: Window | None = None
    output: Location | None = None
    shards: int | None = None
    full: bool = False
    prune: bool = False
    dry_run: bool = False

    @classmethod
    def from_document(cls, document: object, *, allow_files: bool) -> RunRequest:
        """Read an execution input.

        Args:
            document: The input as JSON values.
            allow_files: Whether `file://` addresses may be used; never on AWS.

        Raises:
            RequestError: One sentence that names the field, its value and what is allowed.
        """
        if not isinstance(document, Mapping):
            raise RequestError(f"The input {shown(document)} is not an object of fields.")
        check_names(document, _FIELDS, "input", RequestError)
        if ("source" in document) == ("window" in document):
            raise RequestError(
                'The input must have a "source", for example {"source": "s3://bucket/prefix/"}.'
            )
        return cls(
            recipe=Recipe.from_document(document.get("recipe", {})),
            source=_location(document, "source", allow_files),
            window=Window.parse(document["window"]) if "window" in document else None,
            output=_location(document, "output", allow_files),
            shards=_number(document, "shards", _SHARDS),
            full=_flag(document, "full"),
            prune=_flag(document, "prune"),
            dry_run=_flag(document, "dry_run"),
        )


def _flag(document: Mapping[str, object], name: str) -> bool:
    return _read(document, name, _TRUE_OR_FALSE) is True


def _number(document: Mapping[str, object], name: str, rule: WholeNumber) -> int | None:
    value = _read(document, name, rule)
    return value if isinstance(value, int) else None


def _read(document: Mapping[str, object], name: str, rule: Rule) -> object:
    """The field's value, or None where it is not given."""
    if name not in document:
        return None
    try:
        return rule.read(document[name])
    except ValueError:
        value = shown(document[name])
        raise RequestError(f"{name}: {value} is not allowed; it must be {rule.allowed}.") from None


def _location(document: Mapping[str, object], name: str, allow_files: bool) -> Location | None:
    if name not in document:
        return None
    location = Location.parse(document[name], name)
    if location.is_file and not allow_files:
        raise RequestError(f"{name}: {shown(str(location))} is not allowed; it must be s3://.")
    return location
