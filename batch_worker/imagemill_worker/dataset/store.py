"""The documents of a packed dataset in their store."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import LocalStore

from imagemill_contract.keys import INDEX, LABELS
from imagemill_contract.locations import Location
from imagemill_dataset.documents import views_of
from imagemill_dataset.index import Index, IndexedRun
from imagemill_dataset.labels import numbers_of
from imagemill_worker import stores
from imagemill_worker.errors import StoreRefusedError, TryAgainError


@dataclass(frozen=True, slots=True)
class DatasetStore:
    """What runs have left at one output. Keys are below it.

    Every method raises TryAgainError when the store cannot be reached, and StoreRefusedError when
    it refuses.
    """

    output: Location
    store: stores.Store

    @classmethod
    def open(cls, address: str) -> DatasetStore:
        """Raises ArgumentsError or LocationError for an address that cannot be opened."""
        output = Location.parse(address, "--output")
        return cls(output, stores.open_store(output))

    def read(self, key: str) -> bytes:
        return stores.read_document(self.store, self.output.prefix + key, "dataset")

    def write(self, key: str, body: bytes) -> None:
        stores.write_object(self.store, self.output.prefix + key, body)

    def keys(self, folder: str) -> list[str]:
        """All keys below a folder, sorted."""
        try:
            pages = obstore.list(self.store, self.output.prefix + folder)
            found = [meta["path"] for page in pages for meta in page]
        except BaseError as error:
            raise TryAgainError(f"Listing {folder!r}: {error}") from error
        return sorted(key.removeprefix(self.output.prefix) for key in found)

    def remove(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are gone are no fault."""
        paths = [self.output.prefix + key for key in keys]
        try:
            if not isinstance(self.store, LocalStore):
                obstore.delete(self.store, paths)
                return
            for path in paths:
                with suppress(FileNotFoundError):
                    obstore.delete(self.store, path)
        except PermissionDeniedError as error:
            raise StoreRefusedError("The results of the output may not be removed.") from error
        except BaseError as error:
            raise TryAgainError(f"Removing: {error}") from error

    def read_index(self) -> Index:
        """All parts of the index, merged. Raises DocumentError for a part that is none."""
        return Index.of_parts((key, self.read(key)) for key in self.keys(INDEX))

    def write_views(self, index: Index, last: IndexedRun) -> None:
        labels = numbers_of({key: self.read(key) for key in self.keys(LABELS)})
        for key, body in views_of(index, labels, last).items():
            self.write(key, body)
