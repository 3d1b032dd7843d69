"""Which of very many 64-bit numbers are linked by steps of few different bits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BITS = 64
_MOST_MASKS, _MOST_SHARED = 20_000, 8
# For a choice among ways to search: nanoseconds to sort a number, and to compare two of them.
_SORT, _COMPARE = 100.0, 10.0
_SAMPLE, _TRIED = 100_000, 3  # numbers of the sample, and masks that it is sorted by

Numbers: TypeAlias = "NDArray[np.uint64]"
Places: TypeAlias = "NDArray[np.intp]"


def leaders(numbers: Numbers, distance: int) -> Places:
    """For each of some numbers, which rise, the place of the least one that it is linked with.

    Numbers are linked if they differ in at most `distance` bits, and if others link them.

    Of `bands` bands of bits all but `distance` are equal in two such numbers. So for each choice
    of so many bands the numbers are sorted by these, and only those that are equal there are
    compared: Norouzi, Punjani and Fleet, "Fast Exact Search in Hamming Space with Multi-Index
    Hashing" (https://arxiv.org/abs/1307.2982), with choices of bands in place of a single one.
    """
    found = np.arange(len(numbers), dtype=np.intp)
    for mask in masks(numbers, distance):
        for ones, others in _neighbours(numbers, mask, distance):
            join(found, ones, others)
    return found


def masks(numbers: Numbers, distance: int) -> list[np.uint64]:
    """Bits that are compared together, so that each two numbers share those of one mask at least.

    The more bands there are, the more sorts there are, and the fewer numbers to be compared. How
    many, a sample tells: in fingerprints of pictures bits depend on each other.
    """
    if not distance or not len(numbers):
        return []
    sample = numbers[:: max(1, len(numbers) // _SAMPLE)]
    best, least_seconds = distance + 1, math.inf
    for bands in range(distance + 1, min(_BITS, distance + _MOST_SHARED) + 1):
        seconds = _nanoseconds(numbers, sample, bands, distance)
        if seconds < least_seconds:
            best, least_seconds = bands, seconds
    return list(_masks(best, distance))


def _masks(bands: int, distance: int) -> Iterator[np.uint64]:
    """Bits of a band lie apart from each other: neighbours are alike more often."""
    by_band = [sum(1 << bit for bit in range(band, _BITS, bands)) for band in range(bands)]
    for chosen in combinations(by_band, bands - distance):
        yield np.uint64(sum(chosen))


def _nanoseconds(numbers: Numbers, sample: Numbers, bands: int, distance: int) -> float:
    count = math.comb(bands, distance)
    if count > _MOST_MASKS and bands > distance + 1:
        return math.inf
    pairs = 0.0
    for mask in islice(_masks(bands, distance), 0, count, -(-count // _TRIED)):
        found = np.unique_counts(sample & mask).counts.astype(float)
        pairs += (found * (found - 1)).sum() / 2 * (len(numbers) / len(sample)) ** 2
    return count * (len(numbers) * _SORT + pairs / min(count, _TRIED) * _COMPARE)


def _neighbours(
    numbers: Numbers, mask: np.uint64, distance: int
) -> Iterator[tuple[Places, Places]]:
    """Places of pairs that are equal below a mask and near each other, some at a time."""
    masked = numbers & mask
    order = np.argsort(masked)
    masked, ordered = masked[order], numbers[order]
    at = np.flatnonzero(masked[1:] == masked[:-1])
    step = 1
    while len(at):
        differences = np.bitwise_count(ordered[at] ^ ordered[at + step])
        near = at[differences <= distance]
        if len(near):
            yield order[near], order[near + step]
        step += 1
        at = at[at + step < len(masked)]
        at = at[masked[at] == masked[at + step]]


def join(found: Places, ones: Places, others: Places) -> None:
    """Give all that are linked with either of a pair the least of both leaders."""
    while True:
        pairs: Sequence[Places] = (found[ones], found[others])
        apart = pairs[0] != pairs[1]
        if not apart.any():
            return
        low, high = np.minimum(*pairs)[apart], np.maximum(*pairs)[apart]
        np.minimum.at(found, high, low)
        while (found != (above := found[found])).any():
            found[:] = above
