"""The files beside a dataset's shards, made from the whole index: table, card, README, labels."""

from __future__ import annotations

import json
from collections.abc import Mapping

from imagemill_contract.keys import (
    DATASET_CARD,
    DATASET_CROISSANT,
    DATASET_README,
    INDEX_TABLE,
    LABELS_TEXT,
)
from imagemill_dataset.files.about import about_of
from imagemill_dataset.files.card import card_of, last_packed_run
from imagemill_dataset.files.croissant import croissant_of
from imagemill_dataset.files.index_table import index_table
from imagemill_dataset.files.readme import readme_of
from imagemill_dataset.index import Index, IndexedRun
from imagemill_dataset.labels import text_of


def dataset_files(
    index: Index, labels: Mapping[str, int], otherwise: IndexedRun, about: bytes | None = None
) -> dict[str, bytes]:
    """The files by their keys below the output, in the order to write them: the card last.

    `otherwise` is the run whose recipe counts if no run has packed anything; `about` is the
    document in which a person says more.
    """
    card = card_of(index, last_packed_run(index, otherwise=otherwise), labels)
    card |= {"about": about_of(about)} if about else {}
    files = {INDEX_TABLE: index_table(index)}
    if labels:
        files[LABELS_TEXT] = text_of(labels).encode()
    files[DATASET_CROISSANT] = _json(croissant_of(card, files[INDEX_TABLE]))
    files[DATASET_README] = readme_of(card).encode()
    files[DATASET_CARD] = _json(card)
    return files


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=2).encode()
