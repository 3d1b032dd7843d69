"""Translations of templates that are kept on disk."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from imagemill_engine.translation import MOST_FILES, cache_folder, translated_once

TEMPLATE: dict[str, Any] = {"Transform": "one", "Resources": {"A": {"Type": "B"}}}


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return cache_folder("templates")


def refuse(_template: object) -> dict[str, Any]:
    raise AssertionError("translated again")


def with_name(template: dict[str, Any]) -> dict[str, Any]:
    return {**template, "Name": "translated"}


def test_a_template_is_translated_once():
    first = translated_once(TEMPLATE, with_name)
    assert translated_once(TEMPLATE, refuse) == first == with_name(TEMPLATE)


def test_another_template_is_translated(caches: Path):
    translated_once(TEMPLATE, with_name)
    translated_once({**TEMPLATE, "Resources": {}}, with_name)
    assert len(list(caches.iterdir())) == 2


def test_half_a_file_is_made_anew(caches: Path):
    translated_once(TEMPLATE, with_name)
    (path,) = caches.iterdir()
    path.write_text(path.read_text()[:-5])
    assert translated_once(TEMPLATE, with_name) == with_name(TEMPLATE)
    assert json.loads(path.read_text()) == with_name(TEMPLATE)


def test_a_folder_that_cannot_be_made_keeps_nothing_and_costs_no_more(caches: Path):
    caches.parent.mkdir(parents=True)
    caches.write_text("a file")
    assert translated_once(TEMPLATE, with_name) == with_name(TEMPLATE)


def test_a_fault_of_the_translator_is_raised_and_nothing_is_kept(caches: Path):
    with pytest.raises(AssertionError, match="translated again"):
        translated_once(TEMPLATE, refuse)
    assert not caches.exists()


def test_the_oldest_of_too_many_are_removed(caches: Path):
    for number in range(MOST_FILES + 3):
        translated_once({**TEMPLATE, "Number": number}, with_name)
        newest = max(caches.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        os.utime(newest, (number, number))
    kept = [json.loads(file.read_text())["Number"] for file in caches.iterdir()]
    assert sorted(kept) == list(range(3, MOST_FILES + 3))


def test_a_relative_cache_folder_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder("templates") == tmp_path / ".cache" / "imagemill" / "templates"
