"""Reads and writes the documents of a packed dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imagemill_contract.keys import DATASET, OPEN_RUNS, open_run_id
from imagemill_contract.locations import Location
from imagemill_dataset.index import Index
from imagemill_dataset.parts.part import Row
from imagemill_dataset.stored_index import StoredIndex, part_keys, read_index
from imagemill_worker.errors import TryAgainError
from imagemill_worker.stores.opening import open_store
from imagemill_worker.stores.store import Store
from imagemill_worker.stores.weather import Weather

_MERGED_AGAIN = "A run merges the index again and again."


@dataclass(frozen=True, slots=True)
class DatasetStore:
    """What runs have left at one output. Keys are below it.

    Every method raises TryAgainError if the store cannot be reached, and StoreRefusedError if it
    denies access.
    """

    output: Location
    store: Store

    @classmethod
    def open(cls, address: str, weather: Weather | None = None) -> DatasetStore:
        """The store at an address: that of the output, or of the folder `dataset/` in it.

        Raises ArgumentsError or LocationError for an address that cannot be opened.
        """
        output = Location.parse(address, "--output")
        found = cls(output, open_store(output, weather=weather))
        above = output.parent
        if above is None or output.name != DATASET.rstrip("/") or part_keys(found):
            return found
        outer = cls(above, open_store(above, weather=weather))
        return outer if part_keys(outer) or outer.open_run_ids() else found

    def read(self, key: str) -> bytes:
        """The whole object. Raises FileNotFoundError if there is none."""
        body = self.store.find_document(self.output.prefix + key)
        if body is None:
            raise FileNotFoundError(key)
        return body

    def write(self, key: str, body: bytes) -> None:
        self.store.write_document(self.output.prefix + key, body)

    def create(self, key: str, body: bytes) -> bool:
        """Write an object where there is none; whether it was written, as far as is known."""
        return self.store.create_document(self.output.prefix + key, body)

    def keys(self, folder: str) -> list[str]:
        """All keys below a folder, sorted."""
        prefix = self.output.prefix
        return [key.removeprefix(prefix) for key in self.store.keys(prefix + folder)]

    def remove(self, keys: Iterable[str]) -> None:
        """Delete objects; missing ones are no error."""
        self.store.remove(self.output.prefix + key for key in keys)

    def read_index(self) -> Index:
        """All parts of the index together. Raises DocumentError for a part that cannot be read."""
        try:
            return read_index(self)
        except FileNotFoundError as error:
            raise TryAgainError(_MERGED_AGAIN) from error

    def opened_index(self) -> StoredIndex:
        """The index, of which only headers are read. Raises as `read_index`."""
        try:
            return StoredIndex.opened(self)
        except FileNotFoundError as error:
            raise TryAgainError(_MERGED_AGAIN) from error

    def rows_of(self, index: StoredIndex) -> Iterator[Row]:
        """Its rows, one at a time. Raises as `read_index`, while they are read, too."""
        try:
            yield from index.rows()
        except FileNotFoundError as error:
            raise TryAgainError(_MERGED_AGAIN) from error

    def open_run_ids(self) -> list[str]:
        """The runs that were planned and have no report yet, sorted."""
        return [run_id for key in self.keys(OPEN_RUNS) if (run_id := open_run_id(key))]
