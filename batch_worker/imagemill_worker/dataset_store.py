"""The documents of a packed dataset in their store."""

from __future__ import annotations

import obstore
from obstore.exceptions import BaseError

from imagemill_contract.keys import INDEX
from imagemill_contract.locations import Location
from imagemill_dataset.index import Index
from imagemill_worker import stores
from imagemill_worker.errors import TryAgainError


def read_index(store: stores.Store, output: Location) -> Index:
    """All parts of the index, merged.

    Raises:
        TryAgainError: The store cannot be reached.
        StoreRefusedError: It may not be read.
        DocumentError: A part is no part of an index.
    """
    try:
        pages = obstore.list(store, output.prefix + INDEX)
        keys = sorted(meta["path"] for page in pages for meta in page)
    except BaseError as error:
        raise TryAgainError(f"Listing the index: {error}") from error
    return Index.of_parts((key, stores.read_document(store, key, "index")) for key in keys)
