"""Writes a part of the index from rows that come in the order of their keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain, islice
from operator import gt

from imagemill_contract.index_keys import leaf_key
from imagemill_dataset.index import IndexedRun, encode_rows, runs_of
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.parts.leaf_rows import encode_leaf
from imagemill_dataset.parts.part import Leaf, Row, leaves_document
from imagemill_dataset.shards import DatasetShard

# A run over some new pictures is one document; a plan reads all of these.
INLINE_ROWS = 5_000
# A plan of ten pictures reads at most ten leaves, whatever else is done.
LEAF_ROWS = 20_000


def written_part(
    store: ObjectStore, stem: str, rows: Iterable[Row], shards: Mapping[str, DatasetShard]
) -> bytes:
    """The document of a part, after its leaves are written, which have names with `stem`.

    `shards` are all dataset shards that the part lists, by key. Those that a row names must be
    there when the row is read; others may come later. The same rows give the same bytes.

    Raises ValueError unless rows come in the order of their keys.
    """
    rest = iter(rows)
    first = list(islice(rest, INLINE_ROWS + 1))
    if len(first) <= INLINE_ROWS:
        _check_order(first)
        return encode_rows(first, shards.values())
    runs: dict[str, IndexedRun] = {}
    leaves = list(written_leaves(store, stem, chain(first, rest), shards, runs))
    return leaves_document(runs.values(), shards.values(), leaves)


def written_leaves(
    store: ObjectStore,
    stem: str,
    rows: Iterable[Row],
    shards: Mapping[str, DatasetShard],
    runs: dict[str, IndexedRun],
) -> Iterator[Leaf]:
    """Write leaves, one at a time, and note in `runs`, by their ids, whose rows they have."""
    rest, last = iter(rows), ""
    while chunk := list(islice(rest, LEAF_ROWS)):
        places = {entry.place.shard for _, entry in chunk if entry.place}
        body = encode_leaf(chunk, [shards[key] for key in places])
        last = _check_order(chunk, last)
        key = leaf_key(stem, sha256(body).hexdigest())
        store.write(key, body)
        runs.update(runs_of([entry for _, entry in chunk]))
        yield Leaf(key, chunk[0][0], chunk[-1][0], len(chunk))


def _check_order(rows: Sequence[Row], last: str = "") -> str:
    """The last key. Raises ValueError unless keys rise, from `last` on; some may be the same."""
    keys = [last, *(key for key, _ in rows)]
    if any(map(gt, keys, keys[1:])):
        raise ValueError(f"rows near {rows[0][0]!r} are not in the order of their keys")
    return keys[-1]
