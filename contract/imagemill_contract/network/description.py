"""What an ONNX file says of itself, whoever has read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Axes = Sequence[object]  # each a number, or a name or nothing for one that may be any


@dataclass(frozen=True, slots=True)
class Tensor:
    """What goes into a network, or out of it; `kind` is as ONNX Runtime calls it."""

    kind: str
    axes: Axes


@dataclass(frozen=True, slots=True)
class Description:
    """What an ONNX file says of itself: what it takes and gives, by name."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    metadata: Mapping[str, str]
