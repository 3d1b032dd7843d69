"""What the source objects are: how many of which size and format, and a sample of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import compress
from typing import Any

from imagemill_app.tally.smallest import Smallest
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Status, outcome_at
from imagemill_contract.reporting.previews import Preview
from imagemill_contract.reporting.sampling import MAX_PREVIEWS, MAX_SAMPLES, draw_text, drawing

# Names of formats by extension. Others are counted as `other`, so that there are never too many.
_FORMATS = {
    **{name: name for name in ("png", "webp", "gif", "bmp", "avif", "jxl", "jp2", "heic")},
    **{"jpg": "jpeg", "jpeg": "jpeg", "jpe": "jpeg", "tif": "tiff", "tiff": "tiff"},
    **{"heif": "heic", "pgm": "pnm", "ppm": "pnm", "pbm": "pnm", "pnm": "pnm"},
}


@dataclass(slots=True)
class Sources:
    """The source objects of a run.

    Attributes:
        seed: What draws the sample; the same draws the same.
        bytes: All their bytes.
        sizes: How many objects have how many binary digits in their length: those counted under
            `n` have at least 2**(n-1) bytes and fewer than 2**n.
        formats: How many have which format, by their names.
    """

    seed: str = ""
    bytes: int = 0
    sizes: Counter[int] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    _samples: Smallest = field(default_factory=lambda: Smallest(MAX_SAMPLES))
    _previews: Smallest = field(default_factory=lambda: Smallest(MAX_PREVIEWS))

    def add(self, sources: Sequence[SourceObject], columns: Mapping[Stage, Any]) -> None:
        """Count objects; those with all results may be drawn.

        `columns` are those of one outcome for each object in each stage.
        """
        keys = [source.key for source in sources]
        lengths = [source.bytes for source in sources]
        self.bytes += sum(lengths)
        self.sizes.update(map(int.bit_length, lengths))
        for ending, number in Counter(map(_ending, keys)).items():
            self.formats[format_of(ending)] += number
        drawn: Iterable[tuple[int, str, int]]
        drawn = zip(map(drawing(self.seed), keys), keys, range(len(keys)), strict=True)
        statuses = [found.status for found in columns.values()]
        if any(found.count(Status.WRITTEN) < len(found) for found in statuses):
            whole = (Status.WRITTEN,) * len(columns)
            drawn = compress(
                drawn, [of_stages == whole for of_stages in zip(*statuses, strict=True)]
            )
        for draw, key, place in nsmallest(MAX_SAMPLES, drawn):
            if not self._samples.wants(draw_text(draw), key):
                break
            found = {stage: outcome_at(of_stage, place) for stage, of_stage in columns.items()}
            self._samples.add(_sample(sources[place], found), draw_text(draw), key)

    def add_previews(self, previews: Iterable[Preview]) -> None:
        """Keep those of objects that may be drawn, if the jobs have drawn as `add` does."""
        draw = drawing(self.seed)
        for preview in previews:
            self._previews.add(preview.to_row(), draw_text(draw(preview.key)), preview.key)

    def merge(self, other: Sources) -> None:
        self.bytes += other.bytes
        self.sizes.update(other.sizes)
        self.formats.update(other.formats)
        self._samples.merge(other._samples)
        self._previews.merge(other._previews)

    def samples(self) -> list[Mapping[str, Any]]:
        """Objects drawn by lot among those with all results."""
        return self._samples.rows()

    def previews(self) -> dict[str, Preview]:
        """Small copies of the results of such objects, by key, where their jobs left any."""
        return {str(row["key"]): Preview.from_row(row) for row in self._previews.rows()}

    def to_document(self) -> dict[str, object]:
        return {
            "seed": self.seed,
            "bytes": self.bytes,
            "sizes": {str(digits): count for digits, count in sorted(self.sizes.items())},
            "formats": dict(sorted(self.formats.items())),
            "samples": self._samples.to_document(),
            "previews": self._previews.to_document(),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Sources:
        return cls(
            document["seed"],
            document["bytes"],
            Counter({int(digits): count for digits, count in document["sizes"].items()}),
            Counter(document["formats"]),
            Smallest.from_document(MAX_SAMPLES, document["samples"]),
            Smallest.from_document(MAX_PREVIEWS, document.get("previews", ())),
        )


def format_of(key: str) -> str:
    """What a key's extension says that the object is."""
    name = key[key.rfind("/") + 1 :]
    _, dot, extension = name.rpartition(".")
    return _FORMATS.get(extension.lower(), "other") if dot else "no extension"


def _ending(key: str) -> str:
    """The end of a key that says its format, for few different endings to be looked at."""
    at = key.rfind(".")
    return key[at - 1 :] if at > 0 else key


def _sample(source: SourceObject, outcomes: Mapping[Stage, Outcome]) -> dict[str, object]:
    picture, *later = outcomes.values()
    last = later[-1] if later else picture
    return {
        "key": source.key,
        "bytes": source.bytes,
        "width": picture.width,
        "height": picture.height,
        "results": {str(stage): outcome.output_key for stage, outcome in outcomes.items()},
        "position": last.position,
    }
