"""A stage of one's own: built from docs/stages.md in a copy of the project, and run there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imagemill.project import ROOT
from imagemill_contract.documents import decode_outcomes
from tests.helpers.pages import text_of
from tests.helpers.photographs import write_pictures
from tests.helpers.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.engine

COPIED = ("batch_worker", "contract", "engine", "functions", "imagemill", "statemachine")
COUNT = 5
STAGES_MODULE = Path("contract/imagemill_contract/stages.py")


def copy_with_the_stage(copy: Path) -> None:
    """The project, and what the page adds to it."""
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "template.yaml", copy)
    (found,) = re.findall(
        r"folder of the stage's name, `(\S+)`:\n\n```python\n(.*?)```\n.*"
        r"`Stage` in `(\S+)`:\n\n```python\n(.*?)```\n",
        text_of("docs/stages.md"),
        re.DOTALL,
    )
    path, body, table, line = found
    assert Path(table) == STAGES_MODULE
    (copy / path).parent.mkdir()
    (copy / path).write_text(body)
    text = (copy / table).read_text()
    last = re.findall(r"^    \w+ = _on_request\(.*\n", text, re.MULTILINE)[-1]
    (copy / table).write_text(text.replace(last, last + line))


def in_copy(copy: Path, *arguments: object) -> None:
    """Call the copy's own tool."""
    path = os.pathsep.join(str(copy / name) for name in (".", "contract", "engine"))
    done = subprocess.run(
        [sys.executable, "-m", "imagemill", *map(str, arguments)],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stage_of_the_page_is_run_and_reported(tmp_path: Path) -> None:
    copy, photos, out = tmp_path / "copy", tmp_path / "photos", tmp_path / "out"
    copy_with_the_stage(copy)
    names = write_pictures(photos, COUNT)
    (photos / "broken.jpg").write_bytes(b"no picture")

    (options,) = re.findall(r"^imagemill run PHOTOS OUT (.*)$", text_of("docs/stages.md"), re.M)
    in_copy(copy, "run", photos, out, *f"{options},sharpness".split(), "--size", "48")

    (run,) = (out / "runs").glob("*/report.json")
    report: dict[str, Any] = json.loads(run.read_text())
    assert list(report["stages"]) == ["resize", "edge", "sharpness", "thumbnail"]
    for stage, counts in report["stages"].items():
        lost = "rejected" if stage == "resize" else "skipped"
        ends = {name: count for name, count in counts.items() if count}
        assert ends == {"planned": COUNT + 1, "written": COUNT, lost: 1}
    words = f"{COUNT} edge maps, {COUNT} measures of sharpness, {COUNT} thumbnails, 1 rejected"
    assert words in report["sentence"]
    (document,) = run.parent.glob("outcomes/thumbnail/*.jsonl.gz")
    header, outcomes = decode_outcomes(document.read_bytes())
    assert header["planned"] == COUNT + 1
    reasons = Counter(str(outcome.reason or outcome.status) for outcome in outcomes)
    assert reasons == {"written": COUNT, "no_resized_image": 1}
    for name in names:
        with Image.open(out / f"stages/thumbnail/{name}.webp") as image:
            assert (image.format, image.size) == ("WEBP", (32, 32))
        measured = json.loads((out / f"stages/sharpness/{name}.json").read_text())
        assert measured["sharpness"] > 0
    assert run.with_name("report.html").read_text().count('alt="thumbnail"') == COUNT
