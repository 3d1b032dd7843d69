"""Objects of a bucket whose requests are counted by what they cost, each try by itself."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from imagemill_contract.reporting.request_counts import RequestCounts
from imagemill_contract.reporting.usage import Request
from imagemill_worker.stores.s3 import PART_BYTES, S3Objects

_KEYS_PER_REQUEST = 1000  # of a list, or a bulk delete
_START_AND_END_OF_MULTIPART = 2


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
        self.counts.add(Request.PUT, _puts_of(file.seek(0, os.SEEK_END)))
        self.objects.put_file(key, file)

    def fetch(self, key: str, file: BinaryIO) -> None:
        self.counts.add(Request.GET)
        self.objects.fetch(key, file)

    def head(self, key: str) -> None:
        self.counts.add(Request.GET)
        self.objects.head(key)

    def keys(self, prefix: str) -> list[str]:
        found = self.objects.keys(prefix)
        self.counts.add(Request.LIST, max(1, math.ceil(len(found) / _KEYS_PER_REQUEST)))
        return found

    def remove(self, keys: Iterable[str]) -> None:
        listed = list(keys)
        self.counts.add(Request.DELETE, math.ceil(len(listed) / _KEYS_PER_REQUEST))
        self.objects.remove(listed)


def _puts_of(length_bytes: int) -> int:
    """How many requests it takes to write a file of that length."""
    if length_bytes <= PART_BYTES:
        return 1
    return math.ceil(length_bytes / PART_BYTES) + _START_AND_END_OF_MULTIPART
