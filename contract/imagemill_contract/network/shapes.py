"""What a network takes and gives, checked against what a recipe asks of it."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill_contract.errors import ModelError
from imagemill_contract.network.description import Axes
from imagemill_contract.recipe_parts.choices import ModelOutput
from imagemill_contract.recipe_parts.preprocessing import Channels, Layout, Preprocessing

_DEFAULT_BATCH = 32


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
