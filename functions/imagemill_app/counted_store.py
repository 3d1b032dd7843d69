"""An object store that counts its requests by what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from obstore import open_writer

from imagemill_contract.reporting.request_counts import RequestCounts, pages_of, puts_of
from imagemill_contract.reporting.usage import Request

if TYPE_CHECKING:
    from arro3.core import RecordBatch
    from obstore import GetResult, ObjectMeta, PutMode, PutResult
    from obstore.store import ObjectStore

# obstore writes longer bodies in parts of this length.
PART_BYTES = 5 << 20
PAGE_OBJECTS = 1000  # as many as S3 lists at once


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Objects as they were listed, in columns."""

    batch: RecordBatch

    def paths(self) -> list[str]:
        return cast("list[str]", self.batch.column("path").to_pylist())

    def etags(self) -> list[str]:
        """Without quotes; empty if the store has none."""
        etags = cast("list[str | None]", self.batch.column("e_tag").to_pylist())
        return [(etag or "").strip('"') for etag in etags]

    def lengths(self) -> list[int]:
        """In bytes."""
        return cast("list[int]", self.batch.column("size").to_pylist())


@dataclass(frozen=True, slots=True)
class CountedStore:
    """`store`, as far as the handlers use it."""

    store: ObjectStore
    counts: RequestCounts

    def get(self, path: str) -> GetResult:
        self.counts.add(Request.GET)
        return self.store.get(path)

    def head(self, path: str) -> ObjectMeta:
        self.counts.add(Request.GET)
        return self.store.head(path)

    def put(self, path: str, body: bytes, *, mode: PutMode | None = None) -> PutResult:
        """Write an object. Raises what obstore raises."""
        if mode is None:
            self.counts.add(Request.PUT, puts_of(len(body), PART_BYTES))
            return self.store.put(path, body, chunk_size=PART_BYTES)
        self.counts.add(Request.PUT)
        return self.store.put(path, body, mode=mode, use_multipart=False)

    def copy(self, path: str, to: str) -> None:
        """Copy an object within the store; what is there is replaced. Costs as much as a PUT."""
        self.counts.add(Request.PUT)
        self.store.copy(path, to)

    def put_parts(self, path: str, parts: Iterable[bytes]) -> None:
        """Write an object, whole or not at all, that is never held whole.

        `parts` may read from stores. Raises what obstore and `parts` raise.
        """
        written = 0
        # `put` would ask for parts on obstore's own threads, where nothing can be read
        writer = open_writer(self.store, path, buffer_size=PART_BYTES)
        for part in parts:
            writer.write(part)
            written += len(part)
        writer.close()
        self.counts.add(Request.PUT, puts_of(written, PART_BYTES))

    def list(
        self, prefix: str | None = None, *, offset: str | None = None, chunk_size: int = 50
    ) -> Iterator[Sequence[ObjectMeta]]:
        """Objects below a prefix, some at a time."""
        self.counts.add(Request.LIST)
        listed, pages = 0, 1
        for some in self.store.list(prefix, offset=offset, chunk_size=chunk_size):
            listed += len(some)
            needed = max(1, pages_of(listed))
            self.counts.add(Request.LIST, needed - pages)
            pages = needed
            yield some

    def list_pages(
        self, prefix: str | None = None, *, offset: str | None = None
    ) -> Iterator[ListedPage]:
        """Objects below a prefix, page by page. It takes three quarters of the time of `list`."""
        self.counts.add(Request.LIST)
        is_first = True
        pages = self.store.list(prefix, offset=offset, chunk_size=PAGE_OBJECTS, return_arrow=True)
        for page in pages:
            if not is_first:
                self.counts.add(Request.LIST)
            is_first = False
            yield ListedPage(page)

    def delete(self, paths: str | Sequence[str]) -> None:
        count = 1 if isinstance(paths, str) else pages_of(len(paths))
        self.counts.add(Request.DELETE, count)
        self.store.delete(paths)
