"""What a dataset is made of, and what tells a whole shard from a damaged one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

# Printable ASCII without a dot after the last slash, as the `webdataset` library takes names apart:
# everything from the first dot of the last part is the member's extension. It leaves out names
# below a folder `__x__`, and Hugging Face `datasets` files that begin with two underscores: such a
# sample would be lost without a word. Parts `.` and `..` would lead out of an unpacked shard.
_KEY = re.compile(r"(?!__[^/]*__/)(?:(?!\.\.?/)[ -.0-~]+/)*(?!__)[ -\-0-~]+")

# Bytes of a sample's two files where nobody says: of a picture of some hundred pixels.
ANY_BYTES = 1 << 16


class DamagedShardError(Exception):
    """A dataset shard is not what was written."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of the dataset with its edge map.

    Attributes:
        key: Unique in the dataset; printable ASCII, no dot after the last slash.
        filename: Source key below the source: any text that UTF-8 can carry.
        image: The encoded file, in `image_format`: jpg, png or webp.
        edge: A PNG file.
        width: Pixels, of both.
        height: Pixels, of both.
        sha256: Of `image`, in lower-case hexadecimal digits.
        label: The number of the class, 64 bits, where there is one.
        label_text: The name of the class; empty without a label.

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


def checked(samples: Iterator[Sample]) -> Iterator[Sample]:
    """The samples of a shard as long as they are whole.

    `samples` raises ValueError, with a sentence that lacks its subject, where the shard is damaged.

    Raises:
        DamagedShardError: Names the sample, counted from 0: those before it are whole.
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
            detail = f"the image of {sample.key!r} has another SHA-256 than was written"
            raise DamagedShardError(f"Sample {index}: {detail}.")
        yield sample
        index += 1
