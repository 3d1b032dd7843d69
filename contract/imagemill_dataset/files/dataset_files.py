"""The files beside a dataset's shards, made from the whole index: table, card, README, labels."""

from __future__ import annotations

import json
from collections.abc import Mapping

from imagemill_contract.keys import DATASET_CARD, DATASET_README, INDEX_TABLE, LABELS_TEXT
from imagemill_dataset.files.card import card_of, last_packed_run
from imagemill_dataset.files.index_table import index_table
from imagemill_dataset.files.readme import readme_of
from imagemill_dataset.index import Index, IndexedRun
from imagemill_dataset.labels import text_of


def dataset_files(
    index: Index, labels: Mapping[str, int], otherwise: IndexedRun
) -> dict[str, bytes]:
    """The files by their keys below the output, in the order to write them: the card last.

    `otherwise` is the run whose recipe counts if no run has packed anything.
    """
    card = card_of(index, last_packed_run(index, otherwise=otherwise), labels)
    files = {INDEX_TABLE: index_table(index)}
    if labels:
        files[LABELS_TEXT] = text_of(labels).encode()
    files[DATASET_README] = readme_of(card).encode()
    files[DATASET_CARD] = json.dumps(card, ensure_ascii=False, indent=2).encode()
    return files
