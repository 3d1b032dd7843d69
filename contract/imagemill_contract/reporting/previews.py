"""Small copies of results that lie in dataset shards, in the header of an outcome document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from imagemill_contract.errors import DocumentError


@dataclass(frozen=True, slots=True)
class Preview:
    """Small copies of the results of one object; a copy that could not be made is empty.

    Attributes:
        key: The source object's whole key.
        resized: A WebP file of the resized picture, in base64.
        edges: A WebP file of the edge map, in base64.
        model: A WebP file of the picture that a model has drawn, in base64; empty without one.
    """

    key: str
    resized: str
    edges: str
    model: str = ""

    def to_row(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Preview:
        """Raises DocumentError for a row of another shape."""
        try:
            key, resized, edges = (str(row[name]) for name in ("key", "resized", "edges"))
            return cls(key, resized, edges, str(row.get("model", "")))
        except (KeyError, TypeError) as error:
            raise DocumentError(f"A preview cannot be read: {error}.") from error
