"""The template as CloudFormation gets it, with nothing of AWS::Serverless left in it.

`python -m tests.helpers.translated FILE` writes it, for scanners.
"""

from __future__ import annotations

import copy
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from samtranslator.translator.transform import transform

from tests.helpers.stack_template import template

NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})
_UPLOADED = {
    "AWS::Serverless::Function": ("CodeUri", "s3://uploads/code.zip"),
    "AWS::Serverless::LayerVersion": ("ContentUri", "s3://uploads/layer.zip"),
    "AWS::Serverless::StateMachine": ("DefinitionUri", "s3://uploads/machine.yaml"),
}


class NoManagedPolicies:
    """The template names none that the translator would have to look up."""

    def load(self) -> dict[str, str]:
        return {}


def translated(parameters: Mapping[str, str] = NO_PARAMETERS) -> dict[str, Any]:
    """The translated template, for some values of its parameters."""
    document = copy.deepcopy(template())
    document["Globals"]["Function"].pop("CodeUri")
    for resource in document["Resources"].values():
        if resource["Type"] in _UPLOADED:
            name, address = _UPLOADED[resource["Type"]]
            resource["Properties"][name] = address
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    result: dict[str, Any] = transform(document, dict(parameters), NoManagedPolicies())
    return result


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(translated(), indent=1))
