"""Small copies of what page and contact sheet can draw from a work shard that is packed."""

from __future__ import annotations

import base64
from heapq import nsmallest

from imagemill_contract.recipe import ModelOutput
from imagemill_contract.reporting.previews import Preview
from imagemill_contract.reporting.sampling import MAX_PREVIEWS, drawing
from imagemill_worker.dataset.pack import PackedJob
from imagemill_worker.picture.preview import preview
from imagemill_worker.spool import Spooled


def previews(job: PackedJob) -> list[Preview]:
    """Of some objects, drawn by lot."""
    draw = drawing(job.shard.run_id)
    keys = {place: job.resize_outcomes[place].key for place in job.edges}
    drawn = nsmallest(MAX_PREVIEWS, ((draw(key), key, place) for place, key in keys.items()))
    draws = job.shard.recipe.model_output is ModelOutput.IMAGE
    drawings = job.given if draws else {}
    return [
        Preview(
            key,
            _preview_text(job.pictures[place]),
            _preview_text(job.edges[place]),
            _preview_text(drawings[place]) if place in drawings else "",
        )
        for _, key, place in drawn
    ]


def _preview_text(file: Spooled) -> str:
    return base64.b64encode(preview(file.read())).decode()
