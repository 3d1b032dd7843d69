"""The real template and state machine, read for the tests of their seams."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ASL_PATH = ROOT / "statemachine" / "preprocess.asl.yaml"


class _TemplateLoader(yaml.SafeLoader):
    """Reads `!Ref x` as {"Ref": "x"} and every other `!Tag x` as {"Fn::Tag": x}."""


def _intrinsic(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_TemplateLoader.add_multi_constructor("!", _intrinsic)


@cache
def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), _TemplateLoader)  # noqa: S506 # a SafeLoader
    return loaded


def resources_of(kind: str) -> dict[str, dict[str, Any]]:
    """Properties by logical id of all resources of a type."""
    found = template()["Resources"].items()
    return {name: item.get("Properties", {}) for name, item in found if item["Type"] == kind}


def definition(substitute: str = "x") -> dict[str, Any]:
    """The state machine, every substitution made with a number or a word."""
    text = re.sub(r"\$\{(Max|Shard)\w+\}", "7", ASL_PATH.read_text())
    loaded: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{\w+\}", substitute, text))
    return loaded
