"""Recipes of earlier releases, as today's fields say what they did."""

from __future__ import annotations

from collections.abc import Mapping

# Before there were fields for it, Canny had OpenCV's own thresholds, and no blur before.
_FIXED_CANNY = {"blur": 0.0, "canny_low": 100, "canny_high": 200}
# No field of today: then, the frame of the padding was an edge.
_FRAME = "edges_of_padding"


def as_of_today(document: Mapping[str, object]) -> Mapping[str, object]:
    """The same recipe with the fields that were added since, as far as they would have an effect.

    What can no longer be had is named by a field that is gone.
    """
    if "blur" in document:
        return document
    then: dict[str, object] = {}
    if document.get("edge", "canny") == "canny":
        then |= _FIXED_CANNY
    if document.get("mode") == "border":
        then[_FRAME] = True
    return {**document, **then}
