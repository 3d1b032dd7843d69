"""Proves that a source object arrived as it was stored, by its MD5, if its ETag is one.

The ETag is the MD5 of an object that was put in one part, unless it is encrypted with a key of KMS
or of the customer (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html). It does not
say whether it is an MD5, but bytes that arrive twice with the same other digest were not damaged.
"""

from __future__ import annotations

import re
import threading
from hashlib import md5

from imagemill_contract.documents import SourceObject
from imagemill_contract.outcomes import Reason, Status
from imagemill_worker.errors import PictureError
from imagemill_worker.stores.store import Store

_READS = 4
_MD5 = re.compile(r"[0-9a-f]{32}")
# After this many ETags in a row that look like an MD5 but are none, nothing is read twice any more.
_MOST_READ_TWICE = 5


class SourceProof:
    """Reads objects and proves them, for all threads of a process.

    Attributes:
        proven: Objects whose MD5 is their ETag.
        unprovable: Objects whose ETag is no MD5.
    """

    def __init__(self) -> None:
        self.proven = 0
        self.unprovable = 0
        self._in_a_row = 0
        self._lock = threading.Lock()

    def read(self, store: Store, item: SourceObject) -> memoryview:
        """The bytes of the object, proven if possible. Raises as `Store.read_object` does.

        Raises PictureError with `damaged` for an object that has other bytes at each reading.
        """
        body = store.read_object(item)
        if not _MD5.fullmatch(item.etag) or self._in_a_row >= _MOST_READ_TWICE:
            self._count(is_proven=False)
            return body
        digest_before = ""
        for _ in range(_READS):
            digest = md5(body, usedforsecurity=False).hexdigest()
            if digest in (item.etag, digest_before):
                self._count(is_proven=digest == item.etag)
                return body
            digest_before, body = digest, store.read_object(item)
        detail = f"The object {item.key!r} comes with other bytes each time that it is read."
        raise PictureError(Reason.DAMAGED, detail, Status.FAILED)

    def _count(self, *, is_proven: bool) -> None:
        with self._lock:
            if is_proven:
                self.proven += 1
                self._in_a_row = 0
            else:
                self.unprovable += 1
                self._in_a_row += 1
