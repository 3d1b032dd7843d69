"""Bars of benchmarks: said by scripts, collected for a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import bars


def test_what_scripts_say_is_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bars"
    monkeypatch.setenv(bars.VARIABLE, str(file))
    bars.say("wall of files over the pool", 0.8504, at_most=0.85)
    bars.say("4:2:2 over Pillow", 0.97, at_least=0.97)
    assert capsys.readouterr().out.splitlines() == [
        "MISSED: wall of files over the pool: 0.850, at most 0.85",
        "kept: 4:2:2 over Pillow: 0.970, at least 0.97",
    ]
    assert bars.table(bars.said(file)).splitlines()[2:] == [
        "| wall of files over the pool | 0.850 | at most 0.85 | **no** |",
        "| 4:2:2 over Pillow | 0.970 | at least 0.97 | yes |",
    ]


def test_without_a_file_nothing_was_said(tmp_path: Path) -> None:
    assert bars.said(tmp_path / "bars") == []
