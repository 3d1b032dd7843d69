"""The first rounds of a seed of the soak, of which `benchmarks.chaos` does as many as one wants."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.helpers.jobs import ROOT
from tests.helpers.waiting import PATIENCE_SECONDS

SEED, ROUNDS = "96", 3


def test_runs_under_faults_and_kills_end_as_quiet_ones() -> None:
    numbers = ["--seed", SEED, "--rounds", str(ROUNDS), "--minutes", "60"]
    rooms = [str(ROOT / name) for name in ("", "contract", "engine")]
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos", "--of", "jobs", *numbers],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(rooms)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    *rounds, total = map(json.loads, ended.stdout.splitlines())
    assert (total["violations"], ended.returncode, ended.stderr) == ([], 0, "")
    assert total["runs"] == 3 * len(rounds) == 3 * ROUNDS
    assert {told["what"]["recipe"].get("output", "files") for told in rounds} == {
        *("files", "webdataset", "parquet")
    }
    assert total["faults"]
    assert total["blows"]
