"""Samples, and the check that tells a whole shard from a damaged one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from imagemill_contract.recipe_parts.given import SampleValue, file_ending

# Printable ASCII without a dot after the last slash: for the `webdataset` library, everything from
# the first dot of the last part is the extension. It silently leaves out names below a folder
# `__x__`, and Hugging Face `datasets` leaves out files that begin with two underscores. Parts `.`
# and `..` would lead out of an unpacked shard.
_KEY = re.compile(r"(?!__[^/]*__/)(?:(?!\.\.?/)[ -.0-~]+/)*(?!__)[ -\-0-~]+")

# Bytes of a sample's two files if they are not given: those of a picture of some hundred pixels.
ANY_BYTES = 1 << 16


class DamagedShardError(Exception):
    """A dataset shard is not what was written to it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of the dataset with its edge map.

    Attributes:
        key: Unique in the dataset; printable ASCII, no dot after the last slash.
        filename: Source key below the source: any text that UTF-8 can carry.
        image: The encoded file, in `image_format`: jpg, png, webp or avif.
        edge: A PNG file.
        width: Pixels, of both.
        height: Pixels, of both.
        sha256: SHA-256 of `image`, in lower-case hexadecimal digits.
        label: The number of the class, 64 bits, if there is one.
        label_text: The name of the class; empty without a label.
        columns: What else is said of the picture, by the names of columns, what a model has given
            for it, and smaller sizes of it and its edge map.

    Raises:
        ValueError: A key that readers of WebDataset would lose or split, or a text without a label.
    """

    key: str
    filename: str
    image: bytes
    image_format: str
    edge: bytes
    width: int
    height: int
    sha256: str
    label: int | None = None
    label_text: str = ""
    columns: Mapping[str, SampleValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"{self.key!r} cannot be the key of a sample")
        if self.label is None and self.label_text:
            raise ValueError(f"the sample {self.key!r} has a label's text but no label")

    @property
    def image_name(self) -> str:
        """The name of the picture in the dataset."""
        return f"{self.key}.{self.image_format}"

    @property
    def edge_name(self) -> str:
        """The name of the edge map in the dataset."""
        return f"{self.key}.edge.png"

    def file_name(self, column: str) -> str:
        """The name of a column's file in the dataset."""
        return f"{self.key}.{file_ending(column, self.image_format)}"


def checked(samples: Iterator[Sample]) -> Iterator[Sample]:
    """The samples of a shard, as long as they are whole.

    `samples` raises ValueError if the shard is damaged; its text continues "Sample 3: ".

    Raises:
        DamagedShardError: Names the sample, counted from 0; those before it are whole.
    """
    index = 0
    while True:
        try:
            sample = next(samples, None)
        except ValueError as error:
            raise DamagedShardError(f"Sample {index}: {error}.") from error
        if sample is None:
            return
        if sha256(sample.image).hexdigest() != sample.sha256:
            detail = f"the image of {sample.key!r} does not have the SHA-256 that was written"
            raise DamagedShardError(f"Sample {index}: {detail}.")
        yield sample
        index += 1
