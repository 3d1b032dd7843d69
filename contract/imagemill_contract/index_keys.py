"""Keys of the parts of the index. Parts are read in the order of their keys."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from imagemill_contract.keys import INDEX, LEAVES, check_run_id


def index_key(started: str, run_id: str) -> str:
    """The part of the index that a run adds; keys sort by the time when their run was started."""
    return f"{_index_stem(started, run_id)}.jsonl.gz"


def merged_index_key(started: str, run_id: str, part_keys: Iterable[str]) -> str:
    """The key of merged parts, named after them and after their run that was started last."""
    digest = hashlib.sha256("\n".join(part_keys).encode()).hexdigest()[:8]
    return index_key(started, f"{run_id[:64]}-merged-{digest}")


def adopted_index_key(started: str, run_id: str, content: bytes) -> str:
    """Where a later run puts what a run that has not ended has done: before that run's own part.

    The same content always goes to the same key, so that two runs never overwrite each other's.
    """
    digest = hashlib.sha256(content).hexdigest()[:8]
    return index_key(started, f"{run_id[:63]}-adopted-{digest}")


def adopted_leaves_stem(started: str, run_id: str) -> str:
    """What the leaves of an adopted part have in their names, before its content is known."""
    return f"{leaves_stem(index_key(started, run_id))}-adopted"


def compacted_index_key(started: str, run_id: str, number: int, content: bytes) -> str:
    """The key of a compacted index, which sorts after all parts with rows of its last run.

    `_` comes after the `.` of the run's own part and the `-` of merged ones. `number` is that of
    the lock: who has taken it over comes after who has lost it. Other content has another key.
    """
    digest = hashlib.sha256(content).hexdigest()[:8]
    return f"{_index_stem(started, run_id)}_compacted-{number:08d}-{digest}.jsonl.gz"


def compacted_leaves_stem(started: str, run_id: str, number: int) -> str:
    """What the leaves of a compacted index have in their names, before its content is known."""
    return f"{leaves_stem(index_key(started, run_id))}_compacted-{number:08d}"


def leaf_key(stem: str, digest: str) -> str:
    """Rows of the index; the digest is that of the leaf, `stem` says what they are a part of."""
    return f"{LEAVES}{stem}/{digest[:16]}.parquet"


def leaf_digest(key: str) -> str:
    """How the digest of a leaf begins, from its key."""
    return key.rpartition("/")[2].partition(".")[0]


def leaves_stem(part_key: str) -> str:
    """What the leaves of a part have in their names."""
    return part_key.removeprefix(INDEX).removesuffix(".jsonl.gz")


def _index_stem(started: str, run_id: str) -> str:
    moment = re.sub(r"[^0-9TZ]", "", started)
    return f"{INDEX}{moment}-{check_run_id(run_id)}"
