"""The part of a report about the dataset that a run has added to."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from imagemill_app.aggregate.slice_tally import SliceTally
from imagemill_app.page.contact_sheet import contact_sheet
from imagemill_app.stores import StoreAt, exists, write_bytes
from imagemill_contract.keys import DATASET_CARD, DATASET_PREVIEW
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.reporting.sampling import MAX_PREVIEWS
from imagemill_dataset.index import IndexedRun
from imagemill_dataset.stored_dataset import publish_dataset
from imagemill_dataset.tables.drafts import Drafts


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """What a run has packed, and what became of older samples.

    Attributes:
        format: The recipe's `output`.
        shards: How many dataset shards this run has written.
        samples: How many samples they hold.
        bytes: How many bytes they have.
        verified: How many of these `shards` and `samples` were read back and checked.
        superseded: How many `samples`, in how many `shards`, of the whole dataset no longer count.
        card: Address of the dataset's card.
    """

    format: str
    shards: int
    samples: int
    bytes: int
    verified: dict[str, int]
    superseded: dict[str, int]
    card: str

    @property
    def is_verified(self) -> bool:
        return self.verified == {"shards": self.shards, "samples": self.samples}


def published_dataset(
    output: Location, run: IndexedRun, recipe: Recipe, tally: SliceTally, drafts: Drafts
) -> DatasetReport:
    """Publish the dataset with what a run has packed, and return the part of its report."""
    packed, previews = tally.packed, tally.tally.sources.previews().values()
    _write_preview(output, [base64.b64decode(item.resized) for item in previews if item.resized])
    superseded = publish_dataset(StoreAt(output), run, drafts=drafts).superseded_samples()
    return DatasetReport(
        format=str(recipe.output),
        shards=len(packed.shards),
        samples=sum(shard.samples for shard in packed.shards),
        bytes=sum(shard.bytes for shard in packed.shards),
        verified={"shards": packed.verified_shards, "samples": packed.verified_samples},
        superseded={"samples": sum(superseded.values()), "shards": len(superseded)},
        card=output.address_of(output.prefix + DATASET_CARD),
    )


def _write_preview(output: Location, files: Sequence[bytes]) -> None:
    """Write the contact sheet; a run with few pictures leaves the one that is there."""
    if files and (len(files) == MAX_PREVIEWS or not exists(output, DATASET_PREVIEW)):
        sheet = contact_sheet(files)
        if sheet:
            write_bytes(output, DATASET_PREVIEW, sheet)
