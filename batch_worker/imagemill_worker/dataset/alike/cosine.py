"""Which of very many vectors are linked by steps of a small cosine distance: exact, by numpy alone.

All pairs are compared, most of them by a few numbers: of unit vectors x and y, turned so that
their first numbers, the heads h, say the most, x.y <= h(x).h(y) + |rest of x| |rest of y|, by
Cauchy and Schwarz. So with the length of its rest behind its head, one small product of matrices
bounds the cosines of two blocks from above, and few pairs are left whose cosine must be known.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from imagemill_worker.dataset.alike.near import Places, join
from imagemill_worker.errors import TryAgainError

Vectors: TypeAlias = NDArray[np.float16]
_Floats: TypeAlias = NDArray[np.float32]

_BLOCK, _CHUNK = 512, 8192  # vectors, and pairs, that are compared at once
_SAMPLE, _TRIED = 16_384, 1024  # vectors that the heads are chosen by
_HEADS = (8, 16, 32, 64, 128, 256)
# For that choice, nanoseconds of a core: of a number in a product of matrices, of a pair that is
# looked at, and of a number of a pair that is compared by itself.
_PRODUCT, _LOOK, _SINGLE = 0.04, 0.8, 1.5
# More than what a product of 32-bit numbers may be off; nearer to the limit 64 bits decide.
_SLACK = 1e-4


@dataclass(frozen=True, slots=True)
class _Search:
    """What is searched, and how.

    Attributes:
        vectors: None of them is zero.
        least: Cosine from which on two are linked.
        heads: Of each vector, turned and of length 1, the first numbers and the length of the rest.
    """

    vectors: Vectors
    least: float
    heads: _Floats


def leaders(vectors: Vectors, distance: float, stopping: threading.Event) -> Places:
    """For each of some vectors, none of them zero, the place of the first that it is linked with.

    Two are linked if 1 - their cosine is at most `distance`, and if others link them. Raises
    TryAgainError once `stopping` is set.
    """
    found = np.arange(len(vectors), dtype=np.intp)
    if not len(vectors):
        return found
    search = _Search(vectors, 1 - distance, _heads(vectors, 1 - distance))
    starts = range(0, len(vectors), _BLOCK)
    for one, other in combinations_with_replacement(starts, 2):
        if stopping.is_set():
            raise TryAgainError("The command was told to stop.")
        for ones, others in _linked_pairs(search, found, one, other):
            join(found, ones, others)
    return found


def _linked_pairs(
    search: _Search, found: Places, one: int, other: int
) -> Iterator[tuple[Places, Places]]:
    """Linked pairs of two blocks, some at a time, but for those that have one leader by then."""
    rows, columns = slice(one, one + _BLOCK), slice(other, other + _BLOCK)
    bounds = search.heads[rows] @ search.heads[columns].T
    if bounds.max() < search.least - _SLACK:
        return
    at = np.flatnonzero(bounds >= search.least - _SLACK)
    ones, others = one + at // bounds.shape[1], other + at % bounds.shape[1]
    apart = found[ones] != found[others]
    at, ones, others = at[apart], ones[apart], others[apart]
    if len(at) * _SINGLE > bounds.size * _PRODUCT:
        cosines = (_units(search.vectors[rows]) @ _units(search.vectors[columns]).T).ravel()[at]
        sure = cosines >= search.least + _SLACK
        yield ones[sure], others[sure]
        unsure = ~sure & (cosines >= search.least - _SLACK)
        ones, others = ones[unsure], others[unsure]
    while len(ones):
        apart = found[ones] != found[others]
        ones, others = ones[apart], others[apart]
        some = slice(_CHUNK)
        near = _cosines(search.vectors, ones[some], others[some]) >= search.least
        yield ones[some][near], others[some][near]
        ones, others = ones[_CHUNK:], others[_CHUNK:]


def _heads(vectors: Vectors, least: float) -> _Floats:
    """Heads of the length that makes the search the shortest, by a sample."""
    size = vectors.shape[1]
    sample = _units(vectors[:: max(1, len(vectors) // _SAMPLE)])
    _, turned = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    axes = turned[:, ::-1].astype(np.float32)  # the one that says the most first
    tried = sample[:: max(1, len(sample) // _TRIED)] @ axes
    lengths = [length for length in _HEADS if length < size] + [size]
    best = min(lengths, key=lambda length: _nanoseconds(tried, length, least))
    heads = np.empty((len(vectors), best + 1), np.float32)
    for start in range(0, len(vectors), _BLOCK):
        block = slice(start, start + _BLOCK)
        heads[block] = _with_rest(_units(vectors[block]) @ axes[:, :best])
    return heads


def _nanoseconds(turned: _Floats, length: int, least: float) -> float:
    """What a pair costs with heads of that length."""
    heads = _with_rest(turned[:, :length])
    left = max(0.0, float((heads @ heads.T >= least - _SLACK).mean()) - 1 / len(heads))
    size = int(turned.shape[1])
    return _PRODUCT * length + min(left * (_LOOK + _SINGLE * size), _LOOK + _PRODUCT * size)


def _with_rest(heads: _Floats) -> _Floats:
    rest = np.sqrt(np.maximum(0, 1 - np.einsum("ij,ij->i", heads, heads)))
    return np.column_stack([heads, rest])


def _units(vectors: Vectors) -> _Floats:
    wide = vectors.astype(np.float32)
    units: _Floats = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return units


def _cosines(vectors: Vectors, ones: Places, others: Places) -> NDArray[np.float64]:
    """Of pairs, in 64 bits, so that every machine finds the same pairs linked."""
    left, right = vectors[ones].astype(np.float64), vectors[others].astype(np.float64)
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosines: NDArray[np.float64] = np.einsum("ij,ij->i", left, right) / lengths
    return cosines
