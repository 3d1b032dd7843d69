"""The demo, with a few of its pictures, on the engine of the other tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from demo import __main__ as demo
from demo import pictures
from imagemill.local_stack import LocalStack, deployed_on
from imagemill_engine.engine import Engine

pytestmark = pytest.mark.engine


def test_demo_ends_by_naming_its_report_its_page_and_a_sheet_to_look_at(
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @contextmanager
    def some_stack(parameters: dict[str, str]) -> Iterator[LocalStack]:
        yield deployed_on(engine, parameters, f"demo-{uuid4().hex[:6]}")

    out = tmp_path / "demo-out"
    monkeypatch.setattr(demo, "OUT", out)
    monkeypatch.setattr(demo, "local_stack", some_stack)
    monkeypatch.setattr(demo, "terminate_as_exit", lambda: None)
    monkeypatch.setattr(pictures, "PICTURES_PER_PHOTOGRAPH", 2)
    demo.main()

    count = 2 * len(pictures.PHOTOGRAPHS)
    said = capsys.readouterr().out
    runs = list((out / "runs").glob("upload-*"))  # one, unless the upload took long
    reports = [json.loads((run / "report.json").read_text("utf-8")) for run in runs]
    assert sum(report["stages"]["edge"]["written"] for report in reports) == count
    for run, report in zip(runs, reports, strict=True):
        assert report["sentence"] in said
        assert f"report: {run / 'report.json'}" in said
        assert f"page: {run / 'report.html'}" in said
        page = (run / "report.html").read_text("utf-8")
        drawn = len(report["sources"]["samples"])
        assert page.count('alt="source"') == drawn > 0
        assert page.count("data:image/webp") == 3 * drawn
    assert f"look at: {out / 'contact-sheet.png'}" in said
    with Image.open(out / "contact-sheet.png") as sheet:
        assert sheet.width > 1000
