"""YAML as CloudFormation and Step Functions read it: with the scalars of JSON."""

import re
from collections.abc import Callable
from typing import Any

import yaml

_UNLIKE_JSON = (":timestamp", ":bool")


class JsonScalarLoader(yaml.SafeLoader):
    """`2012-10-17`, `on` and `yes` stay strings, `true` is a boolean."""


JsonScalarLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(_UNLIKE_JSON)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
JsonScalarLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


class TemplateLoader(JsonScalarLoader):
    """Knows the short forms of the intrinsic functions, `!Ref` and the like."""


def _intrinsic(loader: TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value = _constructor(node)(loader, node)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    return {name: value}


def _constructor(node: yaml.Node) -> Callable[[TemplateLoader, Any], Any]:
    if isinstance(node, yaml.ScalarNode):
        return TemplateLoader.construct_scalar
    if isinstance(node, yaml.SequenceNode):
        return lambda loader, sequence: loader.construct_sequence(sequence, deep=True)
    return lambda loader, mapping: loader.construct_mapping(mapping, deep=True)


TemplateLoader.add_multi_constructor("!", _intrinsic)


def load_template(text: str) -> dict[str, Any]:
    """Raises yaml.YAMLError."""
    return dict(yaml.load(text, TemplateLoader))  # noqa: S506 - derived from SafeLoader


def load_definition(text: str) -> Any:
    """Raises yaml.YAMLError."""
    return yaml.load(text, JsonScalarLoader)  # noqa: S506 - derived from SafeLoader
