"""How a network is used, known from the head of an ONNX file, without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imagemill_contract.errors import ModelError
from imagemill_contract.network.description import Description
from imagemill_contract.network.metadata import labels_of, preprocessing_of
from imagemill_contract.network.shapes import InputShape, check_output, input_shape
from imagemill_contract.recipe_parts.choices import ModelOutput
from imagemill_contract.recipe_parts.labels import Labels
from imagemill_contract.recipe_parts.preprocessing import PlainValue, Preprocessing

_FLOAT = "tensor(float)"
_NO_LABELS = Labels()


@dataclass(frozen=True, slots=True)
class NetworkUse:
    """How a network is used.

    Attributes:
        input: Name of what it takes.
        output: Name of what it gives.
        labels: Names of its scores, if the recipe or it says so.
    """

    input: str
    output: str
    kind: ModelOutput
    shape: InputShape
    preprocessing: Preprocessing
    labels: Labels


def use_of(
    described: Description,
    kind: ModelOutput,
    declared: Mapping[str, PlainValue],
    labels: Labels = _NO_LABELS,
) -> NetworkUse:
    """How a network is used; `labels` are those of the recipe.

    Raises ModelError with one sentence if it does not fit the recipe.
    """
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
    return NetworkUse(
        taken, given, kind, shape, preprocessing, labels or labels_of(described.metadata)
    )
