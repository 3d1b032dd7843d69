"""What a model gives for a picture: from its file to columns of a sample, and back."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from imagemill_contract.recipe_parts.choices import ModelOutput
from imagemill_contract.recipe_parts.given import DRAWING, VECTOR, SampleValue

Vector = NDArray[np.float16]


def given_values(output: ModelOutput, body: bytes) -> dict[str, SampleValue]:
    """The columns of `given_columns`, from the file that the model stage writes."""
    if output is ModelOutput.VECTOR:
        return {VECTOR: body}
    if output is ModelOutput.IMAGE:
        return {DRAWING: body}
    said: Mapping[str, SampleValue] = json.loads(body)
    return {name: said.get(name) for name in ("predicted", "score", "scores")}


def npy_file(vector: Vector) -> bytes:
    """A .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, vector, allow_pickle=False)
    return buffer.getvalue()


def vector_in(body: bytes) -> Vector:
    """The vector in a .npy file. Raises ValueError for another file."""
    vector = np.load(io.BytesIO(body), allow_pickle=False)
    if vector.dtype != np.float16 or vector.ndim != 1:
        raise ValueError("the vector is not one of float16")
    return np.asarray(vector)
