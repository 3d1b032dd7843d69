"""Rows of the index as lines of JSON, written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import TYPE_CHECKING

from imagemill_contract.recipe_parts.columns import Value
from imagemill_contract.recipe_parts.given import Scores

if TYPE_CHECKING:  # the index itself needs this module
    from imagemill_dataset.index import Entry

_TEXT = encode_basestring


def line_of(key: str, entry: Entry, runs: Mapping[str, int], shards: Mapping[str, int]) -> str:
    """A row as JSON. Written by hand, it takes a third of the time: there are millions."""
    etag, reason, run, is_pruned, place, columns, fingerprint, original, size, scores = (
        entry  # by name it takes longer
    )
    line = f'{{"key":{_TEXT(key)},"etag":{_TEXT(etag)},"run":{runs[run.run_id]}'
    if reason:
        line += f',"reason":"{reason}"'
    if is_pruned:
        line += ',"pruned":true'
    if place:
        shard, position, width, height, image_bytes, edge_bytes, sha256, label, given = place
        line += (
            f',"at":[{shards[shard]},{position}]'
            f',"image":[{width},{height},{image_bytes},{edge_bytes}],"sha256":{_TEXT(sha256)}'
        )
        if label is not None:
            line += f',"label":{label}'
        line += f',"given":{given}' if given else ""
    if fingerprint:
        line += f',"fingerprint":{_TEXT(fingerprint)}'
    if original:
        width, height, taken = original
        line += f',"original":[{size},{width},{height},{_TEXT(taken)}]'
    if columns or scores:
        line += _said(columns, scores)
    return line + "}\n"


def _said(columns: Sequence[Value], scores: Scores | None) -> str:
    text = f',"columns":{json.dumps(columns, ensure_ascii=False)}' if columns else ""
    return text + (f',"scores":{json.dumps(scores, ensure_ascii=False)}' if scores else "")
