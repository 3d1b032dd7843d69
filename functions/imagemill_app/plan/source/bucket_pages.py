"""Pages of a bucket's objects, with every key as it is in S3.

obstore drops the last slash of a key, and of the key that a listing begins after. So it shows the
folder object `a/`, which the S3 console makes, as `a`, and a listing after `a/` begins too early.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor

from imagemill_app.counted_store import CountedStore
from imagemill_contract.documents import SourceObject

LOOKUPS_AT_ONCE = 32


def pages_after(
    store: CountedStore, prefix: str, key: str | None
) -> Generator[list[SourceObject], None, None]:
    """The objects below `prefix` after a key (None: from the start), in key order."""
    for page in store.list_pages(prefix or None, offset=key):
        listed = list(map(SourceObject, page.paths(), page.etags(), page.lengths()))
        folders = _folder_paths(listed, store, prefix)
        objects = listed
        if folders:
            objects = [_renamed(item) if _is_folder(item, folders) else item for item in listed]
        if key is not None and key.endswith("/"):
            objects = [item for item in objects if item.key > key]
        if objects:
            yield objects


def _is_folder(item: SourceObject, folders: frozenset[str]) -> bool:
    return item.bytes == 0 and item.key in folders


def _renamed(item: SourceObject) -> SourceObject:
    return SourceObject(item.key + "/", item.etag, 0)


def _folder_paths(
    objects: Iterable[SourceObject], store: CountedStore, prefix: str
) -> frozenset[str]:
    """Paths of empty objects whose keys end in a slash: no empty object has the path as its key."""
    empty = [item.key for item in objects if not item.bytes]
    if not empty:
        return frozenset()

    def is_folder(path: str) -> bool:
        if not path.startswith(prefix):  # the object of the prefix itself
            return True
        try:
            return bool(store.head(path)["size"])
        except FileNotFoundError:
            return True

    with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
        return frozenset(
            path for path, is_one in zip(empty, pool.map(is_folder, empty), strict=True) if is_one
        )
