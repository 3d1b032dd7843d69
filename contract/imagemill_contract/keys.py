"""The grammar of keys: the one place where keys and names are built and read.

It is longer than other modules so that every key of the output can be seen side by side.
"""

from __future__ import annotations

import hashlib
import re

from imagemill_contract.errors import ContractError
from imagemill_contract.output_names import MOST_KEY_BYTES, output_name
from imagemill_contract.recipe import Recipe
from imagemill_contract.stages import Stage as Stage
from imagemill_contract.stages import stages_before as stages_before
from imagemill_contract.stages import stages_in as stages_in
from imagemill_contract.stages import stages_of as stages_of

INBOX = "inbox/"
RUNS = "runs/"
INDEX = "index/"
LEAVES = "leaves/"
DATASET = "dataset/"
LABELS = "dataset/labels/"
INTERMEDIATE = "intermediate/"
OPEN_RUNS = "open/"
JOURNAL = "journal/"
UPKEEP = "upkeep/"
DRAFTS = "drafts/"

RUN_LIST = "runs/index.json"

LABELS_TEXT = "dataset/labels.txt"
INDEX_TABLE = "dataset/index.parquet"  # a folder
INDEX_TABLES = "index/tables.json"
METADATA = "metadata.jsonl"  # columns of pictures that are files, in the folder where they are
DATASET_CARD = "dataset/dataset.json"
DATASET_README = "dataset/README.md"
DATASET_PREVIEW = "dataset/preview.jpg"
DATASET_CROISSANT = "dataset/croissant.json"
DATASET_ABOUT = "dataset/about.json"  # what a person says of the dataset; never written here

# A slice has fewer objects than that, and a shard has at least one.
SHARDS_PER_SLICE = 1_000_000

_RUN_ID = re.compile(r"[0-9A-Za-z_.-]{1,80}")
_SHARD_ID = re.compile(r"[0-9]{5,}")
_OPEN_RUN = re.compile(OPEN_RUNS + r"([0-9A-Za-z_.-]{1,80})\.json")
_UPKEEP_LOCK = re.compile(UPKEEP + r"([0-9]{8,})\.json")


def recipes_of(stage: Stage, recipe: Recipe) -> tuple[Recipe, ...]:
    """A recipe for each size of a stage's results, the largest first: some do only that one."""
    return recipe.in_sizes() if stage.entry.in_sizes else (recipe,)


def stage_folder(stage: Stage, recipe: Recipe) -> str:
    """Where the results of a stage are; of several sizes the largest."""
    folder = stage.folder
    return f"{folder}{recipe.sizes[-1]}/" if recipe.sizes and stage.entry.in_sizes else folder


def relative_key(source_key: str, source_prefix: str) -> str:
    """The part of a key below the source prefix. Raises ContractError for a key outside it."""
    if source_key.startswith(source_prefix) and len(source_key) > len(source_prefix):
        return source_key[len(source_prefix) :]
    raise ContractError(f"Key {source_key!r} does not lie under {source_prefix!r}.")


def output_extension(stage: Stage, recipe: Recipe) -> str:
    """With its dot."""
    return stage.entry.extension(recipe)


def output_key(stage: Stage, relative: str, recipe: Recipe) -> str:
    """The key of a stage's result, below the output prefix.

    The extension of the output is appended unless the name has it already:
    `ab.jpg` becomes `resized/ab.jpg`, `edges/ab.jpg.png` and, with a model for vectors,
    `model_output/ab.jpg.npy`. With `sizes`, it is that of the largest, such as
    `resized/512/ab.jpg`; `recipes_of` has the others. What a bucket or a folder could not
    hold is changed as `output_name` says, so that every key is one that S3 accepts and a path below
    the output.
    """
    folder = stage_folder(stage, recipe)
    extension = output_extension(stage, recipe)
    return folder + output_name(relative, extension, MOST_KEY_BYTES - len(folder))


def output_keys(stage: Stage, relative: str, recipe: Recipe) -> list[str]:
    """The keys of a stage's results in all sizes, the largest first."""
    return [output_key(stage, relative, of_size) for of_size in recipes_of(stage, recipe)]


def ordinary_sources(stage: Stage, key: str, recipe: Recipe) -> list[str]:
    """Names below a source whose result has that key, of those that need no change.

    `resized/a.jpg` is the result of `a.jpg` and of `a`.
    """
    extension = output_extension(stage, recipe)
    name = key.removeprefix(stage_folder(stage, recipe))
    stem = name.removesuffix(extension)
    return [name] if not stem or stem.endswith((extension, "/")) else [name, stem]


def check_run_id(run_id: str) -> str:
    """`run_id` itself. Raises ContractError where it could not be a part of a key."""
    if not _RUN_ID.fullmatch(run_id) or set(run_id) == {"."}:
        raise ContractError(
            f"Execution name {run_id!r} is not allowed; it must be 1 to 80 of the characters "
            "0-9 A-Z a-z _ - . so that it can be the run's folder."
        )
    return run_id


def run_folder(run_id: str) -> str:
    return f"{RUNS}{check_run_id(run_id)}/"


def plan_key(run_id: str) -> str:
    return run_folder(run_id) + "plan.json"


def draft_folder(run_id: str) -> str:
    """What is left of a run whose slices are planned one by one, until it is planned."""
    return f"{DRAFTS}{check_run_id(run_id)}/"


def draft_key(run_id: str) -> str:
    """What the slices of a run have in common, while it is planned."""
    return draft_folder(run_id) + "draft.json"


def found_key(run_id: str, number: int) -> str:
    """The objects of a range, if they are not listed by whoever plans it."""
    return f"{draft_folder(run_id)}found/{number:05d}.jsonl.gz"


def slice_key(run_id: str, number: int) -> str:
    """A slice's share of the plan."""
    return f"{draft_folder(run_id)}slices/{number:06d}.json"


def copies_folder(run_id: str) -> str:
    """What tells the objects of slices from each other, until all slices are planned."""
    return f"{draft_folder(run_id)}copies/"


def copies_key(run_id: str, part: int, number: int) -> str:
    """Those objects of a slice whose content has that number."""
    return f"{copies_folder(run_id)}{part:02d}/{number:06d}.jsonl.gz"


def table_drafts_folder(run_id: str) -> str:
    """Files of a dataset's table of all pictures, before anybody reads them."""
    return f"{draft_folder(run_id)}tables/"


def tally_key(run_id: str, number: int) -> str:
    """What became of a slice."""
    return f"{run_folder(run_id)}tallies/{number:06d}.json"


def refused_key(run_id: str, number: int = 0) -> str:
    """Outcomes of the objects of a slice that no job can be given."""
    return f"{run_folder(run_id)}refused{_of_slice(number)}.jsonl.gz"


def deleted_key(run_id: str, number: int = 0) -> str:
    """Sources in a slice that an earlier run has processed and that are gone now."""
    return f"{run_folder(run_id)}deleted{_of_slice(number)}.jsonl.gz"


def open_run_key(run_id: str) -> str:
    """What says that a run was planned and has not been aggregated yet."""
    return f"{OPEN_RUNS}{check_run_id(run_id)}.json"


def open_run_id(key: str) -> str | None:
    """The run whose marker has this key; None for a key of none."""
    found = _OPEN_RUN.fullmatch(key)
    return found[1] if found else None


def run_of_object(key: str, folder: str) -> str:
    """The run in whose part of a folder, such as `INTERMEDIATE`, an object lies."""
    return key.removeprefix(folder).partition("/")[0]


def upkeep_lock_key(number: int) -> str:
    """The lock of whoever rewrites the dataset; one that is taken over gets the next number."""
    return f"{UPKEEP}{number:08d}.json"


def upkeep_lock_number(key: str) -> int | None:
    """The number of a lock; None for a key that is none."""
    found = _UPKEEP_LOCK.fullmatch(key)
    return int(found[1]) if found else None


def run_journal_folder(run_id: str) -> str:
    """Where the jobs of a run leave their journals."""
    return f"{JOURNAL}{check_run_id(run_id)}/"


def journal_folder(run_id: str, stage: Stage, shard_id: str) -> str:
    """Where a job's attempts leave the outcomes that they have so far."""
    return f"{run_journal_folder(run_id)}{stage}/{_checked_shard_id(shard_id)}/"


def journal_key(run_id: str, stage: Stage, shard_id: str, page: str) -> str:
    """One page of a journal; names of pages sort in the order in which they were written."""
    return f"{journal_folder(run_id, stage, shard_id)}{page}.jsonl.gz"


def shards_folder(run_id: str) -> str:
    """Below it lie the shards of a run."""
    return f"{run_folder(run_id)}shards/"


def shard_key(run_id: str, shard_id: str) -> str:
    return f"{shards_folder(run_id)}{_checked_shard_id(shard_id)}.jsonl.gz"


def outcome_key(run_id: str, stage: Stage, shard_id: str) -> str:
    return f"{run_folder(run_id)}outcomes/{stage}/{_checked_shard_id(shard_id)}.jsonl.gz"


def usage_key(run_id: str, stage: Stage, shard_id: str) -> str:
    """What a job has used. By itself, so that the same outcomes are always the same bytes."""
    return f"{run_folder(run_id)}usage/{stage}/{_checked_shard_id(shard_id)}.json"


def intermediate_folder(run_id: str) -> str:
    """Where resize jobs leave their pictures for the edge jobs, if they are packed."""
    return f"{INTERMEDIATE}{check_run_id(run_id)}/"


def intermediate_key(run_id: str, shard_id: str, piece: str) -> str:
    """One piece of what a resize job leaves for its edge job."""
    return f"{intermediate_folder(run_id)}{_checked_shard_id(shard_id)}/{piece}.tar"


def map_results_prefix(run_id: str) -> str:
    return run_folder(run_id) + "map/"


def outcomes_folder(run_id: str, stage: Stage) -> str:
    """Where the outcome documents of a stage are."""
    return f"{run_folder(run_id)}outcomes/{stage}/"


def refused_prefix(run_id: str) -> str:
    """How the keys of all documents about refused objects begin."""
    return run_folder(run_id) + "refused"


def stopped_key(run_id: str) -> str:
    """What says that a run was stopped and that nothing of it runs any more."""
    return run_folder(run_id) + "stopped.json"


def manifest_key(run_id: str) -> str:
    """The keys that a run is about, if its starter has listed them."""
    return run_folder(run_id) + "manifest.jsonl"


def report_key(run_id: str) -> str:
    return run_folder(run_id) + "report.json"


def report_page_key(run_id: str) -> str:
    """The report as a page for people."""
    return run_folder(run_id) + "report.html"


def shard_id_of(index: int, slice_number: int = 0) -> str:
    """The name of the shard at `index` of a slice; names in a slice sort as their indices do."""
    return f"{slice_number * SHARDS_PER_SLICE + index:05d}"


def slice_of(shard_id: str) -> int:
    """The number of the slice that a shard is part of."""
    return int(_checked_shard_id(shard_id)) // SHARDS_PER_SLICE


def shard_id_in(address: str) -> str:
    """The name of a shard, from the key or address of its document."""
    return address.rpartition("/")[2].partition(".")[0]


def inbox_folder(window: str) -> str:
    return f"{INBOX}{window}/"


def group_key(window: str, content: bytes) -> str:
    """The key of a group document. The same content always has the same key."""
    return f"{inbox_folder(window)}{hashlib.sha256(content).hexdigest()[:40]}.jsonl.gz"


def seal_key(window: str) -> str:
    """The key of the object that says that the run of a window has begun to read it."""
    return inbox_folder(window) + "sealed"


def _of_slice(number: int) -> str:
    return f"-{number:06d}" if number else ""


def _checked_shard_id(shard_id: str) -> str:
    if not _SHARD_ID.fullmatch(shard_id):
        raise ContractError(f"Shard id {shard_id!r} is not a number of five digits or more.")
    return shard_id
