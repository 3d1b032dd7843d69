"""What a model gives for a picture: from its file to columns of a sample."""

from __future__ import annotations

import json
from collections.abc import Mapping

from imagemill_contract.recipe_parts.choices import ModelOutput
from imagemill_contract.recipe_parts.given import DRAWING, VECTOR, SampleValue


def given_values(output: ModelOutput, body: bytes) -> dict[str, SampleValue]:
    """The columns of `given_columns`, from the file that the model stage writes."""
    if output is ModelOutput.VECTOR:
        return {VECTOR: body}
    if output is ModelOutput.IMAGE:
        return {DRAWING: body}
    said: Mapping[str, SampleValue] = json.loads(body)
    return {name: said.get(name) for name in ("predicted", "score", "scores")}
