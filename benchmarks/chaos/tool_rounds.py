"""A round of `imagemill run` over a folder; its processes, engine and tool too, are shot at."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.chaos import pictures
from benchmarks.chaos.places import FolderPlace
from benchmarks.chaos.rounds import Ground, Judge, Told, drawn_recipe
from benchmarks.chaos.snipers import Shot, drawn_shots, has_deadly, shoot
from imagemill_contract.keys import RUNS

_SECONDS = 240


@dataclass
class ToolRound:
    """One round of a seed; `name` is its folder."""

    ground: Ground
    random: Random
    name: str
    output: str
    told: Told = field(default_factory=Told)

    def run(self) -> Told:
        random, told = self.random, self.told
        self.base = self.ground.folder / self.name
        self.place = FolderPlace(self.base)
        judge = Judge(told, self.base, self.ground.s3)
        drawn = pictures.drawn(random, 70, in_bucket=False)
        self.place.fill(drawn)
        recipe = drawn_recipe(random, self.output)
        (self.base / "recipe.json").write_text(json.dumps(recipe))
        expected = self.ground.expected(drawn, recipe, "", ())
        shots = drawn_shots(random, with_deadly=True)
        code = self._imagemill(shots)
        told.what = {"of": "imagemill run", "pictures": len(drawn), "recipe": recipe, "code": code}
        files = self.place.files()
        reported = self._reported()
        if reported:
            report = judge.run(files, reported[-1], expected)
            is_good = report["verdict"] == "succeeded"
            # the report is there a moment before the engine may be killed
            is_told = (code == 0) == is_good or (is_good and has_deadly(shots))
            told.violations += [] if is_told else [f"exit code {code} of {report['sentence']}"]
        else:
            judge.unreported(files, expected)
            told.violations += ["exit code 0 without a report"] if code == 0 else []
        self._imagemill([])
        told.what["then"] = judge.repaired(self.place.files(), self._reported()[-1], expected)
        self._imagemill([])
        judge.idle(self.place.files(), self._reported()[-1], expected, in_folder=True)
        return told

    def _reported(self) -> list[str]:
        """Ids of runs with a report, in order."""
        found = (self.base / "out" / RUNS).glob("*/report.json")
        return sorted(path.parent.name for path in found)

    def _imagemill(self, shots: list[Shot]) -> int:
        """Its exit code, after all that it has started has ended, too."""
        self.told.runs += 1
        command = [sys.executable, "-m", "benchmarks.chaos.paced_tool", str(self.ground.pace)]
        options = ["--recipe", str(self.base / "recipe.json"), "--vcpus", "2"]
        folders = [str(self.base / name) for name in ("in", "out")]
        with (self.base / "log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "run", *folders, *options], stdout=log, stderr=log
            )
        over = threading.Event()
        arguments = (process.pid, shots, self.told.blows, over)
        sniper = threading.Thread(target=shoot, args=arguments)
        sniper.start()
        try:
            return process.wait(_SECONDS)
        finally:
            over.set()
            sniper.join()

    def last_words(self) -> str:
        return Path(self.base / "log").read_text(errors="replace")
