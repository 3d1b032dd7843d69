"""A request for a run: the input of an execution of the state machine, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imagemill_contract.errors import RequestError
from imagemill_contract.fields import check_names, shown
from imagemill_contract.keys import INBOX
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe

_FIELDS = ("source", "upload", "output", "recipe")


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is to do: either all objects at `source`, or those of the group document `upload`.

    Attributes:
        recipe: What is done to each image.
        source: Where the pictures are listed, or None.
        upload: Key of a group document in the output bucket, or None.
        output: Where results go, or None for the stack's output bucket.
    """

    recipe: Recipe
    source: Location | None = None
    upload: str | None = None
    output: Location | None = None

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
        if ("source" in document) == ("upload" in document):
            raise RequestError(
                'The input must have a "source", for example {"source": "s3://bucket/prefix/"}.'
            )
        return cls(
            recipe=Recipe.from_document(document.get("recipe", {})),
            source=_location(document, "source", allow_files),
            upload=_group_key(document["upload"]) if "upload" in document else None,
            output=_location(document, "output", allow_files),
        )


def _location(document: Mapping[str, object], name: str, allow_files: bool) -> Location | None:
    if name not in document:
        return None
    location = Location.parse(document[name], name)
    if location.is_file and not allow_files:
        raise RequestError(f"{name}: {shown(str(location))} is not allowed; it must be s3://.")
    return location


def _group_key(value: object) -> str:
    if not isinstance(value, str) or not value.startswith(INBOX) or ".." in value:
        raise RequestError(f"upload: {shown(value)} is not the key of a group document.")
    return value
