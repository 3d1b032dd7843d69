"""The pictures of a page: a sample with its results, and what was rejected, where it decodes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imagemill_app.page import words
from imagemill_app.page.previews import Previews, previews
from imagemill_app.page.shrink import MAX_SOURCE_BYTES

# With their base64 the pictures of a page have four thirds of this.
MAX_PICTURE_BYTES = 1_800_000
MAX_EXAMPLES_SHOWN = 6

# Returns the body of an object by its whole key; None if it cannot be had.
Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Tile:
    """One object of the contact sheet; a picture that is not there is an empty address."""

    key: str
    caption: str
    source: str
    resized: str
    edges: str


@dataclass(slots=True)
class Pictures:
    """Reads pictures and makes data addresses of small copies, until they are too many bytes."""

    read_source: Read
    read_output: Read
    _previews: Previews
    _left_bytes: int = MAX_PICTURE_BYTES

    def tiles(self, report: Mapping[str, Any]) -> list[Tile]:
        """The sample; results that lie in dataset shards are not shown."""
        return list(self._tiles(report))

    def examples(self, report: Mapping[str, Any]) -> dict[str, str]:
        """Data addresses of the first examples of each problem, by key, where they decode."""
        keys = [
            example["key"]
            for problem in report["problems"]
            for example in problem["examples"][:MAX_EXAMPLES_SHOWN]
            if 0 < example["bytes"] <= MAX_SOURCE_BYTES
        ]
        return {key: self._address(self.read_source(key)) for key in dict.fromkeys(keys)}

    def _tiles(self, report: Mapping[str, Any]) -> Iterator[Tile]:
        for sample in report["sources"]["samples"]:
            is_file = sample["position"] is None
            size = words.size(sample["bytes"])
            yield Tile(
                key=words.readable(sample["key"]),
                caption=f"{size} to {sample['width']} x {sample['height']}",
                source=self._address(self.read_source(sample["key"])),
                resized=self._address(self.read_output(sample["resized"])) if is_file else "",
                edges=self._address(self.read_output(sample["edges"])) if is_file else "",
            )

    def _address(self, body: bytes | None) -> str:
        small = self._previews.of(body) if body and self._left_bytes > 0 else None
        if not small or len(small) > self._left_bytes:
            return ""
        self._left_bytes -= len(small)
        return "data:image/webp;base64," + base64.b64encode(small).decode()


@dataclass(frozen=True, slots=True)
class Shown:
    """All pictures of a page."""

    tiles: list[Tile]
    examples: Mapping[str, str]


def shown_pictures(report: Mapping[str, Any], read_source: Read, read_output: Read) -> Shown:
    """Small copies of the sample and of the examples of what was rejected."""
    with previews() as maker:
        pictures = Pictures(read_source, read_output, maker)
        return Shown(pictures.tiles(report), pictures.examples(report))
