"""A request for a run: the input of an execution of the state machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagemill_contract.errors import RequestError
from imagemill_contract.fields import Dollars, TrueOrFalse, WholeNumber, check_names, shown
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.selection import (
    Selection,
    checked_address,
    read_number,
    read_value,
)
from imagemill_contract.requests.windows import Window

# `closes` is read by the state machine alone: it waits until then for the window's uploads.
REQUEST_FIELDS = (
    *("source", "manifest", "window", "closes", "output", "recipe"),
    *Selection.names(),
    *("shards", "full", "retry", "prune", "verify_source", "max_cost", "dry_run", "alone"),
)
_TRUE_OR_FALSE = TrueOrFalse()
_DOLLARS = Dollars()
_SHARDS = WholeNumber(1, 1_000_000)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is to do: process the objects at `source`, or the uploads of `window`.

    Attributes:
        recipe: What is done to each image.
        source: Where the pictures are, or None.
        manifest: Address of a list of keys, which replaces the listing of `source`.
        window: The window whose uploads are taken, or None.
        output: Where results go, or None for the stack's output bucket.
        selection: Which of the objects are taken.
        shards: Number of shards instead of the planner's choice, for measurements.
        full: Also do what is done already.
        retry: Also do again what an earlier run has rejected for good.
        verify_source: Compare each source object with the MD5 that its ETag is, where it is one.
        prune: Remove the results of sources that are gone.
        max_cost: Refuse the run if its plan costs more USD than this.
        dry_run: Plan only, and write nothing.
    """

    recipe: Recipe
    source: Location | None = None
    manifest: str | None = None
    window: Window | None = None
    output: Location | None = None
    selection: Selection = field(default_factory=Selection)
    shards: int | None = None
    full: bool = False
    retry: bool = False
    verify_source: bool = False
    prune: bool = False
    max_cost: float | None = None
    dry_run: bool = False
    alone: bool = False

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
        check_names(document, REQUEST_FIELDS, "input", RequestError)
        _check_together(document)
        recipe = Recipe.from_document(document.get("recipe", {}))
        check_model(recipe, allow_files=allow_files)
        return cls(
            recipe=recipe,
            source=_location(document, "source", allow_files),
            window=Window.parse(document["window"]) if "window" in document else None,
            manifest=_manifest(document, allow_files),
            output=_location(document, "output", allow_files),
            selection=Selection.from_document(document, allow_files=allow_files),
            shards=read_number(document, "shards", _SHARDS),
            full=_flag(document, "full"),
            retry=_flag(document, "retry"),
            verify_source=_flag(document, "verify_source"),
            prune=_flag(document, "prune"),
            max_cost=_dollars(document),
            dry_run=_flag(document, "dry_run"),
            alone=_alone(document),
        )


def check_model(recipe: Recipe, *, allow_files: bool) -> None:
    """Raises RequestError for a model that lies on a machine, where that is not allowed."""
    if recipe.model.startswith("file:") and not allow_files:
        raise RequestError(f"recipe.model: {shown(recipe.model)} is not allowed; it must be s3://.")


def _flag(document: Mapping[str, object], name: str) -> bool:
    return read_value(document, name, _TRUE_OR_FALSE) is True


def _dollars(document: Mapping[str, object]) -> float | None:
    value = read_value(document, "max_cost", _DOLLARS)
    return value if isinstance(value, float) else None


def _alone(document: Mapping[str, object]) -> bool:
    alone = _flag(document, "alone")
    if alone and not str(document.get("output", "")).startswith("file:"):
        raise RequestError('alone: needs an "output" that is a folder: a bucket cannot be locked.')
    return alone


def _location(document: Mapping[str, object], name: str, allow_files: bool) -> Location | None:
    if name not in document:
        return None
    location = Location.parse(document[name], name)
    if location.is_file and not allow_files:
        raise RequestError(f"{name}: {shown(str(location))} is not allowed; it must be s3://.")
    return location


def _manifest(document: Mapping[str, object], allow_files: bool) -> str | None:
    if "manifest" not in document:
        return None
    return checked_address(document["manifest"], "manifest", allow_files=allow_files)


def _check_together(document: Mapping[str, object]) -> None:
    if "manifest" in document and "source" not in document:
        raise RequestError(
            'manifest: needs a "source" beside it, the bucket and prefix of its keys.'
        )
    if ("source" in document) == ("window" in document):
        raise RequestError(
            'The input must have a "source", for example {"source": "s3://bucket/prefix/"}.'
        )
    for name in ("dry_run", *Selection.names()):
        if "window" in document and document.get(name):
            raise RequestError(f'{name}: needs a "source"; a window can only be taken whole.')
