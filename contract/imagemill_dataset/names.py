"""Keys, splits and classes of samples, which depend on the source key alone.

So a sample stays where it is when the dataset grows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from urllib.parse import quote, unquote

from imagemill_contract.keys import DATASET
from imagemill_contract.output_names import escaped_slashes
from imagemill_contract.recipe import Output, Recipe, SplitBy

EXTENSIONS = {Output.WEBDATASET: ".tar", Output.TFRECORD: ".tfrecord", Output.PARQUET: ".parquet"}

_HASHES = 1 << 64


def sample_key(relative: str) -> str:
    """The key of a sample: the source key below the source, percent-encoded, dots included.

    Readers of WebDataset end a key at the first dot of a file's name, so `a.b.jpg` becomes
    `a%2Eb%2Ejpg`. They leave out names that begin with two underscores, so the first underscore is
    encoded. So is a slash that begins a name or follows another one: a member of a tar has no empty
    parts. No two names have the same key, and `source_name` returns the name.
    """
    quoted = quote(relative, safe="/", errors="surrogateescape").replace(".", "%2E")
    quoted = escaped_slashes(quoted)
    return "/".join(
        "%5F" + part[1:] if part.startswith("__") else part for part in quoted.split("/")
    )


def source_name(key: str) -> str:
    """The source key of a sample, below the source."""
    return unquote(key, errors="surrogateescape")


def class_of(relative: str) -> str | None:
    """The class of an object: the first folder of its key below the source, or None."""
    folder, slash, _ = relative.partition("/")
    return folder if slash and folder else None


def split_of(
    relative: str, split: Sequence[tuple[str, float]], split_by: SplitBy = SplitBy.PICTURE
) -> str:
    """The split of a sample, drawn by a hash of its name, or of its folder's.

    It depends only on that and the shares. `split` is sorted by name.
    """
    folder, slash, _ = relative.rpartition("/")
    drawn = folder + slash if split_by is SplitBy.FOLDER and slash else relative
    return split_at(Fraction(_hash(b"split", drawn), _HASHES), split)


def split_by_value(relative: str, value: object, split: Sequence[tuple[str, float]]) -> str:
    """The split of a sample by a value that belongs to it.

    The value is the name of a split, or of a group whose samples are all in one split, which a hash
    of it draws. A sample without a value is drawn by itself.
    """
    if value is None:
        return split_of(relative, split)
    return str(value) if str(value) in dict(split) else split_of(str(value), split)


def split_at(point: Fraction, split: Sequence[tuple[str, float]]) -> str:
    """The split in whose share a point from 0 to 1 lies, if the shares are laid end to end."""
    end = Fraction(0)
    for name, share in split:
        end += Fraction(str(share))
        if point < end:
            return name
    return split[-1][0]  # shares that add up to a little less than 1


def stratified_splits(
    relatives: Iterable[str], split: Sequence[tuple[str, float]]
) -> dict[str, str]:
    """The splits of samples that belong together, such that each split has its share of them.

    At even distances points are laid over the shares, beginning with a point that a hash draws: of
    ten samples a share of 0.1 gets one, and of a single sample it gets one time in ten.
    """
    ordered = sorted(relatives, key=lambda relative: (_hash(b"split", relative), relative))
    if not ordered:
        return {}
    start = Fraction(_hash(b"stratify", ordered[0]), _HASHES)
    points = ((start + place) / len(ordered) for place in range(len(ordered)))
    return {name: split_at(at, split) for name, at in zip(ordered, points, strict=True)}


def split_in(key: str) -> str:
    """The split that a dataset shard is part of, from its key."""
    return key.removeprefix(DATASET).split("-")[1]


def in_order(relatives: Iterable[str], recipe: Recipe) -> list[str]:
    """Names in the order of their samples: as given, or shuffled by `seed`.

    A plan deals objects to jobs in this order, and a job packs its own in this order. So shuffled
    samples of a run are one sequence, cut into shards.
    """
    if not recipe.shuffle:
        return list(relatives)
    salt = b"shuffle %d" % recipe.seed
    return sorted(relatives, key=lambda relative: (_hash(salt, relative), relative))


def dataset_shard_key(name: str, split: str, tag: str, number: int, output: Output) -> str:
    """Key of a dataset shard below the output: `dataset/<name>-<split>-<tag>-<number>.<kind>`."""
    return f"{DATASET}{name}-{split}-{tag}-{number:04d}{EXTENSIONS[output]}"


def format_of(key: str) -> Output:
    """The format of a dataset shard, from its key. Raises ValueError for any other key."""
    for output, extension in EXTENSIONS.items():
        if key.startswith(DATASET) and key.endswith(extension):
            return output
    raise ValueError(f"{key!r} is not the key of a dataset shard")


def shard_tag(run_id: str, shard_id: str) -> str:
    """A tag that only the dataset shards of this work shard have, the same at every attempt."""
    return f"{_run_tag(run_id)}-{shard_id}"


def is_dataset_shard(key: str) -> bool:
    """Whether a key below the output is one that a run or a compaction gives a dataset shard."""
    return _is_shard(key, r"([0-9a-f]{8}-[0-9]{5,}|compact-[0-9a-f]{8})")


def compact_tag(digests: Iterable[str]) -> str:
    """A tag that only the dataset shards of one compaction have; `digests` are those of the old."""
    return "compact-" + hashlib.sha256("".join(digests).encode()).hexdigest()[:8]


def is_shard_of_run(key: str, run_id: str) -> bool:
    """Whether a key below the output is that of a dataset shard of this run."""
    return _is_shard(key, rf"{_run_tag(run_id)}-[0-9]{{5,}}")


def _is_shard(key: str, tag: str) -> bool:
    ends = "|".join(map(re.escape, EXTENSIONS.values()))
    return re.fullmatch(rf"{DATASET}[^/]*-{tag}-[0-9]{{4,}}({ends})", key) is not None


def _run_tag(run_id: str) -> str:
    return hashlib.sha256(run_id.encode()).hexdigest()[:8]


def _hash(salt: bytes, relative: str) -> int:
    """A number below 2 to the 64th. Names may hold lone surrogates, as file names may."""
    text = relative.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(salt + b"\0" + text).digest()[:8])
