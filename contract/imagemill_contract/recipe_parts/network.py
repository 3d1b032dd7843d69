"""What a neural network takes and gives, checked against what a recipe asks of it.

It is known from the head of an ONNX file, without running anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imagemill_contract.errors import ModelError
from imagemill_contract.recipe_parts.choices import ModelOutput
from imagemill_contract.recipe_parts.preprocessing import (
    Channels,
    Layout,
    PlainValue,
    Preprocessing,
    labels_of,
    preprocessing_of,
)

_DEFAULT_BATCH = 32
_FLOAT = "tensor(float)"
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


@dataclass(frozen=True, slots=True)
class InputShape:
    """What a network takes.

    Attributes:
        batch: Pictures that it takes at once.
        is_fixed: Whether it takes neither more nor fewer.
    """

    batch: int
    is_fixed: bool
    height: int
    width: int
    layout: Layout


@dataclass(frozen=True, slots=True)
class NetworkUse:
    """How a network is used.

    Attributes:
        input: Name of what it takes.
        output: Name of what it gives.
        labels: Names of its scores, if it says so.
    """

    input: str
    output: str
    kind: ModelOutput
    shape: InputShape
    preprocessing: Preprocessing
    labels: Sequence[str]


def use_of(
    described: Description, kind: ModelOutput, declared: Mapping[str, PlainValue]
) -> NetworkUse:
    """How a network is used. Raises ModelError with one sentence if it does not fit the recipe."""
    preprocessing = preprocessing_of(declared, described.metadata)
    if len(described.inputs) != 1:
        raise ModelError(
            f"The model has {len(described.inputs)} inputs; it must have one, a picture."
        )
    ((taken, tensor),) = described.inputs.items()
    if tensor.kind != _FLOAT:
        raise ModelError(f"The model takes a {tensor.kind}; it must take a {_FLOAT}.")
    shape = input_shape(tensor.axes, preprocessing)
    names = described.outputs
    given = preprocessing.output or next(iter(names), "")
    if given not in names:
        raise ModelError(f"The model has no output {given!r}; it has {', '.join(names)}.")
    check_output(names[given].axes, kind, None)
    return NetworkUse(taken, given, kind, shape, preprocessing, labels_of(described.metadata))


def scores_document(numbers: Sequence[float], labels: Sequence[str]) -> dict[str, object]:
    """What is said of a picture: `scores`, by labels if there are any, then the best `label`, too.

    `score` where there is one. Raises ModelError for another number of labels.
    """
    if labels and len(labels) != len(numbers):
        raise ModelError(f"The model gives {len(numbers)} scores, but has {len(labels)} labels.")
    document: dict[str, object] = {"scores": list(numbers)}
    if labels:
        document = {"scores": dict(zip(labels, numbers, strict=True))}
        document["label"] = max(zip(numbers, labels, strict=True), key=lambda pair: pair[0])[1]
    if len(numbers) == 1:
        document["score"] = numbers[0]
    return document


def keeping_sentence(expression: str, error: Exception) -> str:
    """Why a recipe's `keep_if` cannot be evaluated."""
    why = f"there is no {error}" if isinstance(error, KeyError) else str(error)
    return f"recipe.keep_if: {expression} cannot be evaluated: {why}."


def input_shape(declared: Axes, preprocessing: Preprocessing) -> InputShape:
    """What a network with that input takes. Raises ModelError where the two do not fit."""
    if len(declared) != 4:
        raise ModelError(f"The model's input has {len(declared)} axes; pictures have 4.")
    count = 1 if preprocessing.channels is Channels.GREY else 3
    layout = preprocessing.layout or (
        Layout.NHWC if declared[3] == count and declared[1] != count else Layout.NCHW
    )
    axes = (1, 2, 3) if layout is Layout.NCHW else (3, 1, 2)
    channels, rows, columns = (declared[axis] for axis in axes)
    if isinstance(channels, int) and channels != count:
        raise ModelError(
            f"The model takes {channels} channels in layout {layout}, but "
            f"{preprocessing.channels} are {count}."
        )
    height = _side("height", rows, preprocessing.height)
    width = _side("width", columns, preprocessing.width)
    batch = declared[0]
    if isinstance(batch, int):
        return InputShape(batch, True, height, width, layout)
    return InputShape(_DEFAULT_BATCH, False, height, width, layout)


def _side(name: str, of_model: object, declared: int) -> int:
    if isinstance(of_model, int):
        if declared not in (0, of_model):
            raise ModelError(
                f"model_preprocessing.{name} is {declared}, but the model's is {of_model}."
            )
        return of_model
    if not declared:
        raise ModelError(f"The model takes any {name}; model_preprocessing.{name} must say which.")
    return declared


def check_output(shape: Axes, output: ModelOutput, count: int | None) -> None:
    """Raises ModelError if an output of that shape cannot be what is asked for.

    `count` is how many pictures it is for; None as long as that is open.
    """
    axes = {ModelOutput.VECTOR: (2, 3, 4), ModelOutput.SCORES: (1, 2), ModelOutput.IMAGE: (3, 4)}
    if len(shape) not in axes[output]:
        allowed = " or ".join(map(str, axes[output]))
        raise ModelError(
            f"The model's output has {len(shape)} axes; a batch of {output} has {allowed}."
        )
    if count is not None and shape[0] != count:
        raise ModelError(f"The model gave {shape[0]} results for {count} pictures.")
    if output is ModelOutput.IMAGE and len(shape) == 4:
        channels = [side for side in (shape[1], shape[3]) if side in (1, 3)]
        if not channels and all(isinstance(side, int) for side in (shape[1], shape[3])):
            raise ModelError(f"The model's pictures have {shape[1]} channels, not 1 or 3.")
