"""Objects of a bucket whose requests are counted by what they cost, each try by itself."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from imagemill_contract.reporting.request_counts import RequestCounts, pages_of, puts_of
from imagemill_contract.reporting.usage import Request
from imagemill_worker.stores.s3 import PART_BYTES, S3Objects


@dataclass(frozen=True, slots=True)
class CountedObjects:
    """The objects of a bucket, with every request counted, also one that fails."""

    objects: S3Objects
    counts: RequestCounts

    def get(self, key: str, etag: str = "") -> memoryview:
        self.counts.add(Request.GET)
        return self.objects.get(key, etag)

    def put(self, key: str, body: bytes, *, durable: bool = False) -> str:
        self.counts.add(Request.PUT)
        return self.objects.put(key, body, durable=durable)

    def create(self, key: str, body: bytes) -> bool:
        self.counts.add(Request.PUT)
        return self.objects.create(key, body)

    def put_file(self, key: str, file: BinaryIO) -> None:
        self.counts.add(Request.PUT, puts_of(file.seek(0, os.SEEK_END), PART_BYTES))
        self.objects.put_file(key, file)

    def fetch(self, key: str, file: BinaryIO) -> None:
        self.counts.add(Request.GET)
        self.objects.fetch(key, file)

    def head(self, key: str) -> None:
        self.counts.add(Request.GET)
        self.objects.head(key)

    def keys(self, prefix: str) -> list[str]:
        found = self.objects.keys(prefix)
        self.counts.add(Request.LIST, max(1, pages_of(len(found))))
        return found

    def remove(self, keys: Iterable[str]) -> None:
        listed = list(keys)
        self.counts.add(Request.DELETE, pages_of(len(listed)))
        self.objects.remove(listed)
