from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from imagemill_dataset.shard_sizes import even_pieces

sizes = st.lists(st.integers(1, 120), max_size=60)


@given(sizes, st.integers(1, 150))
def test_pieces_hold_every_sample_once_and_in_order(sizes: list[int], most: int) -> None:
    pieces = list(even_pieces(sizes, most))
    assert [at for first, end in pieces for at in range(first, end)] == list(range(len(sizes)))
    assert all(first < end for first, end in pieces)


@given(sizes, st.integers(1, 150))
def test_no_piece_is_too_large_but_a_sample_that_is(sizes: list[int], most: int) -> None:
    for first, end in even_pieces(sizes, most):
        assert sum(sizes[first:end]) <= most or end - first == 1


@given(sizes, st.integers(120, 400))
def test_no_two_neighbours_would_fit_into_one(sizes: list[int], most: int) -> None:
    """So there are fewer than twice as many pieces as the bytes need, and as few as can be."""
    pieces = list(even_pieces(sizes, most))
    fewest, filled = 0, most + 1
    for size in sizes:
        if filled + size > most:
            fewest, filled = fewest + 1, 0
        filled += size
    assert len(pieces) == fewest
    for (first, _), (_, end) in pairwise(pieces):
        assert sum(sizes[first:end]) > most or len(pieces) == fewest


def test_equal_samples_make_even_pieces() -> None:
    assert list(even_pieces([10] * 100, 400)) == [(0, 34), (34, 68), (68, 100)]


def test_large_samples_among_small_ones_cost_no_more_than_themselves() -> None:
    mixed = [1000 if at % 100 == 50 else 8 for at in range(2000)]
    pieces = list(even_pieces(mixed, 100))
    assert len(pieces) <= 20 + sum(size for size in mixed if size == 8) / 100 * 1.3 + 21
