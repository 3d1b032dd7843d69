"""Jobs over folders, run as Batch runs them: by their command line, in a process."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from obstore.store import LocalStore

from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, decode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome
from tests.helpers.pictures import recipe
from tests.helpers.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
RUN, SHARD = "run-1", "00000"

# Put before the worker's own modules: bytes that do to a decoder what no picture of ours can.
# Every body that comes to a decoder is noted, with the process that has it. One that hangs says
# that it has done so for long: nobody waits, and the limit is far from good pictures.
KILLERS = """
import ctypes, os, time, zlib
from imagemill_worker.codecs import file_kind as sniff
from imagemill_worker.lanes.shared_memory import CurrentPictureNote
kind_of, enter, monotonic = sniff.kind_of, CurrentPictureNote.enter, time.monotonic
entered = []
def remembered(note, index):
    entered[:] = [(note, index)]
    enter(note, index)
CurrentPictureNote.enter = remembered
def deadly(view):
    body = bytes(view)
    with open(os.environ["ONCE"] + ".decoded", "a") as notes:
        notes.write(f"{os.getpid()} {zlib.crc32(body)}\\n")
    if body.startswith(b"KILL"):
        ctypes.string_at(0)
    if body.endswith(b"ONCE") and not os.path.exists(os.environ["ONCE"]):
        open(os.environ["ONCE"], "w").close()
        os.abort()
    if body.startswith(b"HANG"):
        time.monotonic = lambda: monotonic() - 1000
        enter(*entered[0])
        time.monotonic = monotonic
        while True:
            time.sleep(1)
    if body.startswith(b"HOARD"):
        raise MemoryError
    if body.endswith(b"SLOW"):
        time.sleep(0.05)
    if body.endswith(b"HELD"):
        time.sleep(50)
    return kind_of(view)
sniff.kind_of = deadly
"""


@dataclass(frozen=True)
class Ended:
    """How a job's process ended."""

    code: int
    lines: list[dict[str, object]]
    errors: str


@dataclass(frozen=True)
class Folder:
    """A source folder, an output folder, and the job between them."""

    base: Path
    run_id: str = RUN
    shared_output: Path | None = None

    @property
    def source(self) -> Path:
        return self.base / "in"

    @property
    def output(self) -> Path:
        return self.shared_output or self.base / "out"

    def put(self, name: str, body: bytes) -> None:
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def plan(self, **fields: object) -> Shard:
        """Write the shard document of all objects there are."""
        self.output.mkdir(parents=True, exist_ok=True)
        metas = [meta for batch in LocalStore(self.source).list() for meta in batch]
        objects = [
            SourceObject(meta["path"], str(meta["e_tag"]).strip('"'), meta["size"])
            for meta in sorted(metas, key=lambda meta: meta["path"])
        ]
        source, output = map(Location.of_folder, map(PurePosixPath, (self.source, self.output)))
        shard = Shard(self.run_id, SHARD, source, output, recipe(**fields), objects)
        path = self.output / keys.shard_key(self.run_id, SHARD)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shard.encode())
        return shard

    @property
    def shard_address(self) -> str:
        return (self.output / keys.shard_key(self.run_id, SHARD)).as_uri()

    def command(self, stage: str, *options: str) -> list[str]:
        shard = ("--shard", self.shard_address)
        return [sys.executable, "-m", "imagemill_worker", stage, *shard, *options]

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        path = [str(ROOT / "contract"), str(ROOT / "batch_worker")]
        if env.get("ONCE"):
            (self.base / "sitecustomize.py").write_text(KILLERS)
            path.insert(0, str(self.base))
        paths = {"PYTHONPATH": os.pathsep.join(path)}
        return {**os.environ, "ALLOW_FILE_URIS": "true", **paths, **env}

    def run(self, stage: str, *options: str, **env: str) -> Ended:
        done = subprocess.run(
            self.command(stage, *options),
            env=self.environment(env),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return Ended(done.returncode, lines, done.stderr)

    def run_with_killers(self, stage: str, *options: str, **env: str) -> Ended:
        return self.run(stage, *options, ONCE=str(self.base / "once"), **env)

    def decoded(self) -> list[tuple[int, int]]:
        """Process and checksum of each body that came to a decoder among killers, in order."""
        lines = (self.base / "once.decoded").read_text().splitlines()
        return [(int(process), int(checksum)) for process, checksum in map(str.split, lines)]

    def outcome_path(self, stage: str) -> Path:
        return self.output / keys.outcome_key(self.run_id, Stage(stage), SHARD)

    def outcomes(self, stage: str) -> list[Outcome]:
        return decode_outcomes(self.outcome_path(stage).read_bytes())[1]

    def reasons(self, stage: str) -> dict[str, str]:
        """Reason by key, of all objects that were not written."""
        return {row.key: str(row.reason) for row in self.outcomes(stage) if row.reason}

    def files(self, below: str) -> dict[str, bytes]:
        """All files but those that say what attempts have used, which is never the same twice."""
        folder = self.output / below
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "usage" not in path.relative_to(self.output).parts
        }


def header_of(path: Path) -> dict[str, object]:
    header: dict[str, object] = json.loads(gzip.decompress(path.read_bytes()).splitlines()[0])
    return header
