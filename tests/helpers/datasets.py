"""A packed dataset of several runs, as their jobs and reports leave it in a folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from imagemill_contract import keys
from imagemill_contract.documents import decode_outcomes
from imagemill_contract.index_keys import index_key
from imagemill_contract.keys import relative_key
from imagemill_contract.outcomes import Status
from imagemill_dataset.index import Entry, Index, IndexedRun, Place, encode_part
from imagemill_dataset.shards import DatasetShard
from tests.helpers.jobs import ROOT, Ended, Folder
from tests.helpers.waiting import PATIENCE_SECONDS


@dataclass
class Dataset:
    """Runs over a source folder; each is given what it is to do."""

    base: Path
    runs: int = 0
    recipe: dict[str, object] = field(default_factory=lambda: {"size": 32, "output": "webdataset"})

    @property
    def output(self) -> Path:
        return self.base / "out"

    def copied_to(self, base: Path) -> Dataset:
        """The same output in another folder, where a test may do with it what it will."""
        shutil.copytree(self.output, base / "out")
        return Dataset(base, self.runs, dict(self.recipe))

    def run(self, pictures: dict[str, bytes]) -> None:
        """Process these pictures and add what became of them to the index."""
        self.runs += 1
        run_id = f"run-{self.runs}"
        folder = Folder(self.base / run_id, run_id, self.output)
        for name, body in pictures.items():
            folder.put(name, body)
        shard = folder.plan(**self.recipe)
        for stage in keys.stages_of(shard.recipe):
            ended = folder.run(stage)
            assert (ended.code, ended.errors) == (0, "")
        resized = folder.outcomes("resize")
        given = folder.outcomes("model") if shard.recipe.model else resized
        header, edges = decode_outcomes(folder.outcome_path("edge").read_bytes())
        rows: list[dict[str, object]] = header["shards"]  # type: ignore[assignment]
        started = f"2026-11-23T10:0{self.runs}:00.000Z"
        run = IndexedRun(run_id, started, "source", shard.recipe.to_document())
        entries = {}
        for item, picture, said, edge in zip(shard.objects, resized, given, edges, strict=True):
            place = None
            if edge.status is Status.WRITTEN:
                place = Place(
                    shard=str(edge.output_key),
                    position=edge.position or 0,
                    width=edge.width,
                    height=edge.height,
                    image_bytes=picture.output_bytes,
                    edge_bytes=edge.output_bytes,
                    sha256=picture.sha256,
                    given_bytes=said.output_bytes if shard.recipe.model else 0,
                )
            relative = relative_key(item.key, shard.source.prefix)
            reason = picture.reason or edge.reason
            entries[relative] = Entry(
                item.etag,
                reason,
                run,
                place=place,
                fingerprint=edge.fingerprint,
                original=picture.original,
                bytes=item.bytes,
            )
        self.write(
            index_key(started, run.run_id),
            encode_part(entries, [DatasetShard.from_row(row) for row in rows]),
        )
        for name in (keys.intermediate_folder(run_id), keys.run_journal_folder(run_id)):
            shutil.rmtree(self.output / name, ignore_errors=True)

    def write(self, key: str, body: bytes) -> None:
        path = self.output / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def index(self) -> Index:
        paths = sorted((self.output / keys.INDEX).glob("*.jsonl.gz"))
        return Index.of_parts((path.name, path.read_bytes()) for path in paths)

    def shard_paths(self) -> set[Path]:
        return set((self.output / keys.DATASET).glob("images-*"))

    def command(self, command: str, *options: str) -> list[str]:
        program = [sys.executable, "-m", "imagemill_worker", command]
        return [*program, "--output", self.output.as_uri(), *options]

    def upkeep(self, command: str, *options: str) -> Ended:
        """Run the worker's `verify` or `compact`."""
        path = os.pathsep.join([str(ROOT / "contract"), str(ROOT / "batch_worker")])
        done = subprocess.run(
            self.command(command, *options),
            env={**os.environ, "ALLOW_FILE_URIS": "true", "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return Ended(done.returncode, lines, done.stderr)
