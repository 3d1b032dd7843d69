"""The documents of a packed dataset in their store."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import LocalStore

from imagemill_contract.locations import Location
from imagemill_dataset.index import Index, IndexedRun
from imagemill_dataset.stored_dataset import write_dataset_files
from imagemill_dataset.stored_index import read_index
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
        """The whole object. Raises FileNotFoundError when there is none."""
        try:
            return bytes(obstore.get(self.store, self.output.prefix + key).bytes())
        except PermissionDeniedError as error:
            raise StoreRefusedError(f"{key!r} may not be read.") from error
        except FileNotFoundError:
            raise
        except BaseError as error:
            raise TryAgainError(f"Reading {key!r}: {error}") from error

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
        try:
            return read_index(self)
        except FileNotFoundError as error:
            raise TryAgainError("A run merges the index again and again.") from error

    def write_files(self, index: Index, last: IndexedRun) -> None:
        """Write what lies beside the dataset shards that an index names."""
        write_dataset_files(self, index, last)
