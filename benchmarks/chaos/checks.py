"""What must be true after a run, whatever was done to it. Each check says what is not."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.chaos.quiet import Result, rows_of
from imagemill_contract import keys
from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.outcomes import Outcome, Status
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Index

_FOLDERS = (*(stage.folder for stage in keys.Stage), *(keys.DATASET, keys.INDEX, keys.RUNS))
_PASSING_FOLDERS = (keys.OPEN_RUNS, keys.JOURNAL, keys.INTERMEDIATE)
_OF_THE_TOOL = ".imagemill.lock"


@dataclass(frozen=True)
class Expected:
    """What the runs of a round are to make.

    Attributes:
        pictures: Bodies by name.
        results: What becomes of each body.
        spoiled: Names of pictures that may fail for a while.
    """

    pictures: Mapping[str, bytes]
    results: Mapping[bytes, Result]
    recipe: Recipe
    source_prefix: str
    spoiled: frozenset[str] = field(default_factory=frozenset)

    def result(self, name: str) -> Result:
        return self.results[self.pictures[name]]

    @property
    def good_names(self) -> list[str]:
        return [name for name in self.pictures if not self.result(name).reason]

    def files(self) -> dict[str, bytes]:
        """All results as files, by key."""
        return {
            keys.output_key(stage, name, self.recipe): self.result(name).of(stage)
            for name in self.good_names
            for stage in stages_of(Recipe())
        }


def check_run(
    report: Mapping[str, Any], files: Mapping[str, bytes], expected: Expected
) -> Iterator[str]:
    """One outcome for each planned key and stage, each as in a quiet run, and a true verdict."""
    planned = report["objects"] + report["refused"]
    for stage, counts in report["stages"].items():
        if counts["planned"] != planned or sum(counts[str(s)] for s in Status) != planned:
            yield f"{stage}: {counts} do not add up to {planned}"
    failed = {row["key"].removeprefix(expected.source_prefix) for row in report["failed"]}
    for row in report["failed"]:
        name = row["key"].removeprefix(expected.source_prefix)
        if name not in expected.spoiled:
            yield f"failed without a cause: {row}"
    if (report["verdict"] == "succeeded") != (not failed):
        yield f"verdict {report['verdict']} with {len(failed)} failed"
    yield from _check_rows(report["run_id"], files, expected)


def _check_rows(run_id: str, files: Mapping[str, bytes], expected: Expected) -> Iterator[str]:
    try:
        rows = {stage: rows_of(files, run_id, stage) for stage in stages_of(Recipe())}
    except ValueError as error:
        yield str(error)
        return
    for stage in stages_of(Recipe()):
        for key, row in rows[stage].items():
            name = key.removeprefix(expected.source_prefix)
            before = rows[Stage.RESIZE].get(key)
            if before is None:
                yield f"{name!r} has an outcome in {stage} only"
            elif problem := _problem(stage, row, before, expected.result(name)):
                yield f"{name!r} in {stage}: {problem}"


def _problem(stage: Stage, row: Outcome, before: Outcome, result: Result) -> str:
    """What is wrong with a row; a failed one is judged by the report."""
    if stage is Stage.EDGE and before.status is not Status.WRITTEN:
        return "" if row.status is Status.SKIPPED else f"{row.status} without a picture"
    if row.status is Status.FAILED:
        return ""
    if result.reason:
        is_same = (row.status, row.reason) == (Status.REJECTED, result.reason)
        return "" if is_same else f"{row} instead of {result.reason}"
    if row.status is not Status.WRITTEN:
        return f"{row.status}, {row.reason}, {row.detail} though it is good"
    return "" if row.sha256 == result.digest(stage) else "its digest is another"


def check_files(files: Mapping[str, bytes], expected: Expected) -> Iterator[str]:
    """Nothing is half-written, and nothing is there that nobody has asked for."""
    results = expected.files()
    for key, body in files.items():
        if key.startswith(tuple(stage.folder for stage in keys.Stage)):
            if key not in results:
                yield f"{key!r} is nobody's result"
            elif body != results[key]:
                yield f"{key!r} is not what a quiet run writes: {len(body)} bytes"
        elif not key.startswith((*_FOLDERS, *_PASSING_FOLDERS)) and key != _OF_THE_TOOL:
            yield f"{key!r} lies where nothing should be"


def check_complete(
    report: Mapping[str, Any], files: Mapping[str, bytes], expected: Expected
) -> Iterator[str]:
    """After a run without faults all that is good is there, and known to be."""
    if report["verdict"] != "succeeded":
        yield f"the repairing run: {report['sentence']}"
    index = index_of(files)
    if index.entries.keys() != expected.pictures.keys():
        yield f"the index has {len(index.entries)} of {len(expected.pictures)} pictures"
    for name, entry in index.entries.items():
        if (entry.reason or "") != expected.result(name).reason:
            yield f"the index says of {name!r}: {entry.reason}"
    if not expected.recipe.is_packed:
        yield from (f"{key!r} is missing" for key in expected.files().keys() - files.keys())


def check_idle(report: Mapping[str, Any]) -> Iterator[str]:
    """The run after that has nothing to do."""
    if report["objects"] or not report["sentence"].startswith("Nothing to do"):
        yield f"there is still something to do: {report['sentence']} {report['to_do']}"


def check_leftovers(
    files: Mapping[str, bytes], open_ids: Collection[str], *, in_folder: bool
) -> Iterator[str]:
    """No run but those of `open_ids` is open, and no journal is left. Those in S3 expire."""
    theirs = [
        of(run_id) for run_id in open_ids for of in (keys.open_run_key, keys.run_journal_folder)
    ]
    folders = [keys.OPEN_RUNS, *([keys.JOURNAL] if in_folder else [])]
    for key in files:
        if key.startswith(tuple(folders)) and not key.startswith(tuple(theirs)):
            yield f"{key!r} was left"


def index_of(files: Mapping[str, bytes]) -> Index:
    below = sorted((key, body) for key, body in files.items() if key.startswith(keys.INDEX))
    parts = [(key, body) for key, body in below if key.endswith(".jsonl.gz")]
    return Index.of_parts(parts)


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
