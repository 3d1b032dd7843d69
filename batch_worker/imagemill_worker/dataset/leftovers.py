"""Leftovers: what stopped runs have left at an output and nobody needs any more.

The order of the search makes it safe even if a run begins: first everything that may be left over,
then the open runs, then the index. If something was there first, and its run is then not open, that
run is over, and the index has everything of it that counts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from imagemill_contract.keys import DATASET, INTERMEDIATE, JOURNAL, run_of_object
from imagemill_contract.locations import Location
from imagemill_dataset.names import is_dataset_shard, is_shard_of_run
from imagemill_worker.dataset.store import DatasetStore

# Files with the names that `stores/files/folder.py` gives them until they are whole.
_PART = re.compile(r"\.[0-9a-f]{24}\.part")


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Keys below the output.

    Attributes:
        shards: Dataset shards.
        folders: What lies in the folder of a run, by that folder.
        parts: Files that were never finished.
    """

    shards: list[str]
    folders: Mapping[str, list[str]]
    parts: list[str]

    @classmethod
    def found(cls, dataset: DatasetStore) -> Leftovers:
        """Everything that may be left, or may be in use."""
        folders: dict[str, list[str]] = defaultdict(list)
        for folder in (INTERMEDIATE, JOURNAL):
            for key in dataset.keys(folder):
                folders[f"{folder}{run_of_object(key, folder)}/"].append(key)
        shards = [key for key in dataset.keys(DATASET) if is_dataset_shard(key)]
        parts = sorted(_parts_in(dataset.output))
        return cls(shards, folders, [key for key in parts if not key.startswith(tuple(folders))])

    def without(self, named: Collection[str], open_runs: Collection[str]) -> Leftovers:
        """The leftovers without shards that the index names, and what open runs may need."""
        in_use = {f"{folder}{run}/" for folder in (INTERMEDIATE, JOURNAL) for run in open_runs}
        return Leftovers(
            [
                key
                for key in self.shards
                if key not in named and not any(is_shard_of_run(key, run) for run in open_runs)
            ],
            {folder: keys for folder, keys in self.folders.items() if folder not in in_use},
            [] if open_runs else self.parts,
        )

    def names(self) -> Iterator[tuple[str, int]]:
        """What a person is told: each file or folder, and how many objects it holds."""
        yield from ((key, 1) for key in self.shards)
        yield from ((folder, len(keys)) for folder, keys in self.folders.items())
        yield from ((key, 1) for key in self.parts)

    def keys(self) -> Iterator[str]:
        yield from self.shards
        for keys in self.folders.values():
            yield from keys
        yield from self.parts


def _parts_in(output: Location) -> Iterator[str]:
    """Unfinished files. Only folders have them, because objects in S3 are always whole."""
    if output.is_file:
        root = Path(output.folder)
        for path in root.rglob(".*.part"):
            if _PART.fullmatch(path.name):
                yield path.relative_to(root).as_posix()
