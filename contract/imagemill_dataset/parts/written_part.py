"""Writes a part of the index from rows that come in the order of their keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain, islice

from imagemill_contract.index_keys import leaf_key
from imagemill_dataset.index import IndexedRun, encode_rows
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.parts.part import Leaf, Row, leaves_document
from imagemill_dataset.shards import DatasetShard

# A run over some new pictures is one document; a plan reads all of these.
INLINE_ROWS = 5_000
# A plan of ten pictures reads at most ten leaves, whatever else is done.
LEAF_ROWS = 20_000


def written_part(
    store: ObjectStore, stem: str, rows: Iterable[Row], shards: Sequence[DatasetShard]
) -> bytes:
    """The document of a part, after its leaves are written, which have names with `stem`.

    `shards` are all dataset shards that the part lists. The same rows give the same bytes.
    """
    rest = iter(rows)
    first = list(islice(rest, INLINE_ROWS + 1))
    if len(first) <= INLINE_ROWS:
        return encode_rows(first, shards)
    runs: dict[str, IndexedRun] = {}
    leaves = list(written_leaves(store, stem, chain(first, rest), shards, runs))
    return leaves_document(runs.values(), shards, leaves)


def written_leaves(
    store: ObjectStore,
    stem: str,
    rows: Iterable[Row],
    shards: Iterable[DatasetShard],
    runs: dict[str, IndexedRun],
) -> Iterator[Leaf]:
    """Write leaves, one at a time, and note in `runs`, by their ids, whose rows they have."""
    by_key = {shard.key: shard for shard in shards}
    rest = iter(rows)
    while chunk := list(islice(rest, LEAF_ROWS)):
        places = {entry.place.shard for _, entry in chunk if entry.place}
        body = encode_rows(chunk, [by_key[key] for key in places])
        key = leaf_key(stem, sha256(body).hexdigest())
        store.write(key, body)
        runs.update((entry.run.run_id, entry.run) for _, entry in chunk)
        yield Leaf(key, chunk[0][0], chunk[-1][0], len(chunk))
