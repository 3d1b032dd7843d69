"""The pictures of a page: a sample with its results, and what was rejected, where it decodes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imagemill_app.page import words
from imagemill_app.page.previews import Previews, previews
from imagemill_app.page.shrink import MAX_SOURCE_BYTES
from imagemill_contract.keys import Stage
from imagemill_contract.reporting.previews import Preview

# Of all pictures of a page, in base64.
MAX_PICTURE_CHARACTERS = 2_400_000
MAX_EXAMPLES_SHOWN = 6

# What a stage's pictures are called, if not by its name.
SHOWN = {str(Stage.RESIZE): "resized", str(Stage.EDGE): "edges"}
_NO_PICTURES = (".npy", ".json")

# Returns the body of an object by its whole key; None if it cannot be had.
Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Tile:
    """One object of the contact sheet.

    `pictures` has the source and the results, by what to call them; the address of one that is not
    there is empty.
    """

    key: str
    caption: str
    pictures: Mapping[str, str]


@dataclass(slots=True)
class Pictures:
    """Reads pictures and makes data addresses of small copies, until they are too many."""

    read_source: Read
    read_output: Read
    packed: Mapping[str, Preview]
    _previews: Previews
    _left_characters: int = MAX_PICTURE_CHARACTERS

    def tiles(self, report: Mapping[str, Any]) -> list[Tile]:
        """The sample; of results that lie in dataset shards what their jobs left of them."""
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
            size = words.size(sample["bytes"])
            source = self._address(self.read_source(sample["key"]))
            yield Tile(
                key=words.readable(sample["key"]),
                caption=f"{size} to {sample['width']} x {sample['height']}",
                pictures={"source": source, **self._results(sample)},
            )

    def _results(self, sample: Mapping[str, Any]) -> dict[str, str]:
        if sample["position"] is None:
            results = sample["results"].items()
            keys = {stage: key for stage, key in results if not key.endswith(_NO_PICTURES)}
            return {_shown(stage): self._address(self.read_output(keys[stage])) for stage in keys}
        found = self.packed.get(sample["key"])
        packed = {Stage.RESIZE: found.resized if found else ""}
        if found and found.model:
            packed[Stage.MODEL] = found.model
        packed[Stage.EDGE] = found.edges if found else ""
        return {_shown(stage): self._shown(text) for stage, text in packed.items()}

    def _address(self, body: bytes | None) -> str:
        small = self._previews.of(body) if body and self._left_characters > 0 else None
        return self._shown(base64.b64encode(small).decode()) if small else ""

    def _shown(self, text: str) -> str:
        """The data address of a WebP in base64; empty if there is none, or no room for it."""
        if not text or len(text) > self._left_characters:
            return ""
        self._left_characters -= len(text)
        return "data:image/webp;base64," + text


def _shown(stage: str) -> str:
    return SHOWN.get(stage, stage)


@dataclass(frozen=True, slots=True)
class Shown:
    """All pictures of a page."""

    tiles: list[Tile]
    examples: Mapping[str, str]


def shown_pictures(
    report: Mapping[str, Any],
    read_source: Read,
    read_output: Read,
    packed: Mapping[str, Preview],
) -> Shown:
    """Small copies of the sample and of the examples of what was rejected.

    `packed` has those of results that lie in dataset shards, by the source's key.
    """
    with previews() as maker:
        pictures = Pictures(read_source, read_output, packed, maker)
        return Shown(pictures.tiles(report), pictures.examples(report))
