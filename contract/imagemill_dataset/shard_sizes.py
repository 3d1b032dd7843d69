"""Cuts samples into dataset shards: even pieces, none larger than allowed."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from imagemill_contract.recipe import ModelOutput, Output, Recipe
from imagemill_contract.recipe_parts.columns import CAPTION, Value
from imagemill_contract.recipe_parts.given import given_columns, size_columns

_BLOCK = 512  # bytes; of tar, whose members have a header and end with a whole block
_LONG_KEY = 80  # from here on tar needs extended headers, which hold the name
_LABELS = 2 * _BLOCK  # of a class number, as a member of its own
# Beside files and names, a TFRecord has the names of its features, and Parquet lengths and pages.
_BESIDE = {Output.TFRECORD: 600, Output.PARQUET: 400}
# And so has each column, in Parquet in the footer, too, for each group of as little as one row.
_BESIDE_COLUMN = {Output.TFRECORD: 40, Output.PARQUET: 400}
# Of a model's file. A vector's float16 are float32 in a TFRecord, and a score of two characters has
# 8 bytes in Parquet.
_MOST_OF_GIVEN = {ModelOutput.VECTOR: 2, ModelOutput.SCORES: 4, ModelOutput.IMAGE: 1}
# A sample has its name twice: as key, and as file name, which may be three times as long in UTF-8.
_NAMES = 5
# The end of a shard: tar is filled up to 20 blocks, Parquet has a footer with a row for each group.
_ENDS = {Output.WEBDATASET: 22 * _BLOCK, Output.TFRECORD: 0, Output.PARQUET: 16_384}


def end_bytes(output: Output) -> int:
    """The most bytes that a dataset shard has beside its samples."""
    return _ENDS[output]


def packed_bytes(
    recipe: Recipe,
    key_bytes: int,
    image_bytes: int,
    edge_bytes: int,
    columns: Sequence[Value] = (),
    given_bytes: int = 0,
) -> int:
    """The most bytes that a sample takes in a dataset shard, from the lengths of key and files.

    `columns` are the values of the recipe's columns; `given_bytes` is the length of the file that
    its model has given, and of its smaller sizes.
    """
    size = _own_bytes(recipe, key_bytes, image_bytes, edge_bytes, columns)
    given = given_columns(recipe.model, recipe.model_output)
    smaller = len(size_columns(recipe.sizes))
    if not given and not smaller:
        return size
    if recipe.output is Output.WEBDATASET:
        files = bool(given) + smaller
        size += _member_bytes(given_bytes) + 2 * _BLOCK * (files - 1)
        return size + files * _long_key_bytes(key_bytes)
    size += (_BESIDE_COLUMN[recipe.output] + key_bytes) * (len(given) + smaller)
    return size + (_MOST_OF_GIVEN[recipe.model_output] if given else 1) * given_bytes


def _own_bytes(
    recipe: Recipe, key_bytes: int, image_bytes: int, edge_bytes: int, columns: Sequence[Value]
) -> int:
    """The same without what a model gives."""
    named = dict(zip((name for name, _ in recipe.columns), columns, strict=False))
    text_bytes = len(json.dumps(named, ensure_ascii=False).encode()) if named else 0
    if recipe.output is not Output.WEBDATASET:
        text_bytes += _BESIDE_COLUMN[recipe.output] * len(named)
        names_bytes = _NAMES * key_bytes
        return image_bytes + edge_bytes + names_bytes + _BESIDE[recipe.output] + text_bytes
    about_bytes = 250 + _NAMES * key_bytes + text_bytes  # of the JSON member
    members = [image_bytes, edge_bytes, about_bytes]
    if CAPTION in named:
        members.append(len(str(named[CAPTION]).encode()))
    size = sum(map(_member_bytes, members))
    if recipe.label_from_folder:
        size += _LABELS
    size += 4 * _long_key_bytes(key_bytes)
    return size


def _member_bytes(length: int) -> int:
    return _BLOCK + -(-length // _BLOCK) * _BLOCK


def _long_key_bytes(key_bytes: int) -> int:
    """Of one member's extended headers."""
    return _BLOCK + _member_bytes(key_bytes) if key_bytes > _LONG_KEY else 0


def even_pieces(sizes: Sequence[int], most_bytes: int) -> Iterator[tuple[int, int]]:
    """Start and end of each piece: as few pieces as `most_bytes` allows, of about equal bytes.

    A sample that is larger than allowed is a piece of its own.
    """
    ends = list(accumulate(sizes, initial=0))
    first = 0
    for at, size in enumerate(sizes):
        if size > most_bytes:
            yield from _even(ends, first, at, most_bytes)
            yield at, at + 1
            first = at + 1
    yield from _even(ends, first, len(sizes), most_bytes)


def _even(ends: Sequence[int], first: int, last: int, most_bytes: int) -> Iterator[tuple[int, int]]:
    """Pieces of the samples from `first` to `last`, none of which is too large by itself."""
    if first == last:
        return
    count = len(_filled(ends, first, last, most_bytes))
    # the smallest limit that needs no more pieces
    least, most = 0, most_bytes
    while least < most:
        middle = (least + most) // 2
        if len(_filled(ends, first, last, middle)) <= count:
            most = middle
        else:
            least = middle + 1
    yield from _filled(ends, first, last, most)


def _filled(ends: Sequence[int], first: int, last: int, most_bytes: int) -> list[tuple[int, int]]:
    """Pieces that each take as many samples as fit, and at least one."""
    pieces = []
    while first < last:
        end = min(max(bisect_right(ends, ends[first] + most_bytes) - 1, first + 1), last)
        pieces.append((first, end))
        first = end
    return pieces
