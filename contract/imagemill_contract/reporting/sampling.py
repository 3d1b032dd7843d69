"""Which pictures of a run its page shows: drawn by lot, and the same whoever draws them."""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

MAX_SAMPLES = 12
# Of what lies in dataset shards jobs leave more small copies, for the dataset's contact sheet.
MAX_PREVIEWS = 25


def drawing(seed: str) -> Callable[[str], int]:
    """What gives each key a number that looks drawn by lot and is the same whenever it is drawn.

    The pictures with the smallest numbers are the sample. Its seed is the run's id.
    """
    start = crc32(seed.encode())
    return lambda key: crc32(key.encode("utf-8", "surrogatepass"), start)


def draw_text(draw: int) -> str:
    """A rank: texts are in the order of the numbers."""
    return f"{draw:08x}"
