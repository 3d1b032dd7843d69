"""The commands that a page shows: what does again what was rejected or failed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe


def retry_command(report: Mapping[str, Any], reason: str) -> str:
    """What does again what was rejected or failed for a reason.

    A run over a folder has no stack that would know it later: the same run takes what was mended.
    """
    source = Location.parse(report["source"], "report.source")
    output = Location.parse(report["output"], "report.output")
    if not (source.is_file and output.is_file):
        return f"imagemill retry {report['run_id']} --reason {reason}"
    words = ["imagemill", "run", source.folder, output.folder, *_options(report["recipe"])]
    return shlex.join(words)


def _options(recipe: Mapping[str, Any]) -> list[str]:
    """The options of a recipe, without those that say what holds anyway."""
    defaults, found = Recipe().to_document(), list[str]()
    for name, value in recipe.items():
        if name in defaults and value != defaults[name]:
            found += _option(name.replace("_", "-"), value)
    return found


def _option(name: str, value: object) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return [f"--{name}", text]
