"""State machine definitions in YAML, as SAM uploads the file of a DefinitionUri.

CloudFormation puts the DefinitionSubstitutions into the text first and reads it afterwards, so
`MaxConcurrency: ${Limit}` becomes a number.
"""

from __future__ import annotations

import json

from ministack.services.cloudformation import provisioners

from imagemill_engine.aws_yaml import load_definition
from imagemill_engine.hooks import patching
from imagemill_engine.shapes import Document, Function


def install() -> None:
    """Let CloudFormation read YAML, of which JSON is a part."""
    patching.wrap(provisioners, "_sfn_definition", ["props"], definition_as_json)


def definition_as_json(original: Function, properties: Document) -> str:
    """The definition, for an emulator that reads JSON alone.

    Raises yaml.YAMLError, which CloudFormation reports as the reason of the failure.
    """
    return json.dumps(load_definition(original(properties)))
