"""YAML as CloudFormation and Step Functions read it: with the scalars of JSON."""

from __future__ import annotations

import re

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # ten times as fast
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment] # the same, in Python

from imagemill_engine.shapes import Document

_UNLIKE_JSON = (":timestamp", ":bool")


class JsonScalarLoader(SafeLoader):
    """`2012-10-17`, `on` and `yes` stay strings, `true` is a boolean."""


JsonScalarLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(_UNLIKE_JSON)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
JsonScalarLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


class TemplateLoader(JsonScalarLoader):
    """Also knows the short forms of the intrinsic functions, `!Ref` and the like."""


def _intrinsic(loader: TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, object]:
    value = _value(loader, node)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    return {name: value}


def _value(loader: TemplateLoader, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 # there is no fourth kind
    return loader.construct_mapping(node, deep=True)


TemplateLoader.add_multi_constructor("!", _intrinsic)


def load_template(text: str) -> Document:
    """A CloudFormation template with the long forms of its functions. Raises yaml.YAMLError."""
    return dict(yaml.load(text, TemplateLoader))  # noqa: S506 # derived from SafeLoader


def load_definition(text: str) -> object:
    """The definition of a state machine, in YAML or JSON. Raises yaml.YAMLError."""
    return yaml.load(text, JsonScalarLoader)  # noqa: S506 # derived from SafeLoader
