"""State machine definitions in YAML, as DefinitionUri of SAM uploads them to S3.

CloudFormation puts the DefinitionSubstitutions into the text first and parses it afterwards, so
`MaxConcurrency: ${Limit}` becomes a number.
"""

import json
from collections.abc import Callable
from typing import Any

import yaml
from ministack.services.cloudformation import provisioners

from imagemill_engine.hooks import seam
from imagemill_engine.yaml_json import load_definition


def install() -> None:
    seam.wrap(provisioners, "_sfn_definition", ["props"], definition_as_json)


def definition_as_json(original: Callable[..., Any], properties: dict[str, Any]) -> str:
    """Raises ValueError, which CloudFormation reports as the reason of the failure."""
    text: str = original(properties)
    try:
        json.loads(text)
    except ValueError:
        return _parsed(text)
    return text


def _parsed(text: str) -> str:
    try:
        definition = load_definition(text)
    except yaml.YAMLError as error:
        raise ValueError(f"The definition is neither JSON nor YAML: {error}") from error
    if not isinstance(definition, dict) or "States" not in definition:
        raise ValueError("The definition has no States")
    return json.dumps(definition)
