"""What rounds have in common: the ground they stand on, what they draw, check and tell."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.chaos import checks, datasets
from benchmarks.chaos.checks import Expected
from benchmarks.chaos.places import BucketPlace
from benchmarks.chaos.quiet import QuietResults
from imagemill_contract.keys import report_key
from imagemill_contract.recipe import Recipe
from tests.helpers.faults.memory_s3 import MemoryS3

Files = Mapping[str, bytes]


@dataclass
class Told:
    """What a round has to tell.

    Attributes:
        faults: How often each was injected.
        blows: How often each was dealt out to a process.
        parts: Files that writers have left under a name of their own.
        orphans: Dataset shards that no index names.
        unreported: Runs that ended by themselves and without a report.
        violations: What should have been true.
    """

    what: dict[str, object] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    blows: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    parts: int = 0
    orphans: int = 0
    unreported: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, other: Told) -> None:
        self.faults += other.faults
        self.blows += other.blows
        self.runs += other.runs
        self.parts += other.parts
        self.orphans += other.orphans
        self.unreported += other.unreported
        self.violations += other.violations


@dataclass(frozen=True)
class Ground:
    """What all rounds stand on.

    Attributes:
        folder: For all that is written.
        pace: See `pace`.
    """

    folder: Path
    pace: Path
    s3: MemoryS3
    quiet: QuietResults

    def expected(
        self, pictures: Files, recipe: Mapping[str, object], prefix: str, spoiled: Iterable[str]
    ) -> Expected:
        results = self.quiet.of(recipe)
        parsed = Recipe.from_document(dict(recipe))
        return Expected(pictures, results, parsed, prefix, frozenset(spoiled))


@dataclass
class Judge:
    """Looks at what runs have left in one place; what it needs itself is in `folder` and `s3`."""

    told: Told
    folder: Path
    s3: MemoryS3

    def run(self, files: Files, run_id: str, expected: Expected) -> Mapping[str, Any]:
        """Check a run that has a report; the report."""
        report: Mapping[str, Any] = json.loads(files[report_key(run_id)])
        self._add(checks.check_run(report, files, expected))
        self._add(checks.check_files(files, expected))
        if expected.recipe.is_packed:
            self._add(datasets.check_shards(files, expected))
            quiet = BucketPlace(self.s3, self.s3.endpoint_url, f"quiet-{run_id}"[:60].lower())
            self._add(datasets.check_quiet(files, run_id, expected, quiet, self.folder / "quiet"))
            quiet.clear()
        return report

    def unreported(self, files: Files, expected: Expected) -> None:
        """Check what a run has left that was stopped, or is still on."""
        self._add(checks.check_files(files, expected))
        if expected.recipe.is_packed:
            self._add(datasets.check_shards(files, expected))

    def repaired(self, files: Files, run_id: str, expected: Expected) -> str:
        """Check a run that nobody has disturbed; its sentence."""
        report = self.run(files, run_id, expected)
        self._add(checks.check_complete(report, files, expected))
        if expected.recipe.is_packed:
            self._add(datasets.check_places(files, expected))
        return str(report["sentence"])

    def idle(
        self,
        files: Files,
        run_id: str,
        expected: Expected,
        open_ids: Collection[str] = (),
        *,
        in_folder: bool,
    ) -> None:
        """Check the run after that, and what is left in the end; `open_ids` may still be open."""
        self.repaired(files, run_id, expected)
        self._add(checks.check_idle(json.loads(files[report_key(run_id)])))
        self._add(checks.check_leftovers(files, open_ids, in_folder=in_folder))
        self.told.parts += sum(key.endswith(".part") for key in files)
        self.told.orphans += len(datasets.orphans(files))

    def _add(self, problems: Iterable[str]) -> None:
        self.told.violations += problems


def drawn_recipe(random: Random, output: str) -> dict[str, object]:
    recipe: dict[str, object] = {"size": random.choice((32, 96))}
    if random.random() < 0.3:
        recipe["format"] = "webp"
    if output != "files":
        recipe |= {"output": output, "shard_bytes": 100_000}
        if random.random() < 0.3:
            recipe["split"] = {"train": 0.7, "val": 0.3}
    return recipe
