"""The files beside a dataset's shards, made from its sums: card, README, labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from imagemill_contract.keys import (
    DATASET,
    DATASET_CARD,
    DATASET_CROISSANT,
    DATASET_PREVIEW,
    DATASET_README,
    LABELS_TEXT,
)
from imagemill_dataset.files.about import about_of
from imagemill_dataset.files.card import card_of
from imagemill_dataset.files.croissant import IndexTable, croissant_of
from imagemill_dataset.files.holdings import Holdings
from imagemill_dataset.files.readme import readme_of
from imagemill_dataset.index import IndexedRun
from imagemill_dataset.labels import text_of


def dataset_files(
    held: Holdings,
    tables: Sequence[IndexTable],
    labels: Mapping[str, int],
    otherwise: IndexedRun,
    about: bytes | None = None,
    *,
    has_preview: bool = False,
) -> dict[str, bytes]:
    """The files by their keys below the output, in the order to write them: the card last.

    `tables` are there already. `otherwise` is the run whose recipe counts if no run has packed
    anything; `about` is the document in which a person says more; `has_preview` says whether there
    is a contact sheet.
    """
    card = card_of(held, held.sums.last or otherwise, labels)
    card |= {"about": about_of(about)} if about else {}
    card |= {"preview": DATASET_PREVIEW.removeprefix(DATASET)} if has_preview else {}
    files = {LABELS_TEXT: text_of(labels).encode()} if labels else {}
    files[DATASET_CROISSANT] = _json(croissant_of(card, tables))
    files[DATASET_README] = readme_of(card).encode()
    files[DATASET_CARD] = _json(card)
    return files


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=2).encode()
