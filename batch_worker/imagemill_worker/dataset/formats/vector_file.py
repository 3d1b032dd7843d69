"""The vector that a model gives for a picture, as a .npy file."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float16]


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
