from __future__ import annotations

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Generator
from threading import Lock, get_ident

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagemill_app.plan.source.key_ranges import LANES, list_in_ranges, middle
from imagemill_contract.documents import SourceObject
from imagemill_contract.source_keys import is_readable_key

names = st.sets(st.text("09afz/-. é", min_size=1, max_size=5), max_size=80)
texts = st.text("aZ09/._- é", max_size=6)


class Bucket:
    """Keys that are listed a page at a time, as S3 does it."""

    def __init__(self, keys: set[str], page: int, seconds: float = 0.0) -> None:
        self.keys, self.page, self.seconds = sorted(keys), page, seconds
        self.requests, self._lock = 0, Lock()

    def pages_after(self, key: str | None) -> Generator[list[SourceObject], None, None]:
        first = bisect_right(self.keys, key) if key else 0
        while True:
            with self._lock:
                self.requests += 1
            time.sleep(self.seconds)
            page = self.keys[first : first + self.page]
            if page:
                yield [SourceObject(name, "e", 1) for name in page]
            first += self.page
            if first >= len(self.keys):
                return


@settings(max_examples=60)
@given(names, st.integers(1, 5))
def test_every_key_is_listed_once_and_in_order(keys: set[str], page: int) -> None:
    bucket = Bucket({"full/" + key for key in keys}, page)
    listed = list_in_ranges(bucket.pages_after, "full/")
    assert [item.key for item in listed] == bucket.keys


HASHES = {f"full/{index * 2654435761 % 2**32:08x}.jpg" for index in range(20_000)}
FRAMES = {f"full/2026/11/23/cam-1/frame_{index:06}.jpg" for index in range(20_000)}
FOLDERS = {f"full/{index % 40:03}/{index:05}.jpg" for index in range(20_000)}


@pytest.mark.parametrize("keys", [HASHES, FRAMES, FOLDERS], ids=["hashes", "frames", "folders"])
def test_many_keys_of_any_kind_are_listed_in_parallel(keys: set[str]) -> None:
    bucket = Bucket(keys, page=100, seconds=0.005)
    pages_by_thread: Counter[int] = Counter()

    def pages_after(key: str | None) -> Generator[list[SourceObject], None, None]:
        for page in bucket.pages_after(key):
            pages_by_thread[get_ident()] += 1
            yield page

    listed = list_in_ranges(pages_after, "full/")
    assert [item.key for item in listed] == bucket.keys
    # no lane lists half of the pages: the work was shared
    assert max(pages_by_thread.values()) < 200 / 2
    assert bucket.requests < 200 + 20 * LANES


def test_small_source_is_listed_by_one_request() -> None:
    bucket = Bucket({"full/a", "full/b"}, page=1000)
    assert len(list_in_ranges(bucket.pages_after, "full/")) == 2
    assert bucket.requests == 1


def test_error_of_one_lane_ends_the_listing() -> None:
    bucket = Bucket(HASHES, page=100)

    def pages_after(key: str | None) -> Generator[list[SourceObject], None, None]:
        for page in bucket.pages_after(key):
            if page[0].key > "full/c":
                raise ConnectionError(page[0].key)
            yield page

    with pytest.raises(ConnectionError):
        list_in_ranges(pages_after, "full/")


@given(texts, st.none() | texts)
def test_middle_lies_between(seen: str, end: str | None) -> None:
    cut = middle("p/" + seen, end and "p/" + end, "p/")
    assert cut is None or is_readable_key(cut)
    assert cut is None or ("p/" + seen < cut and (not end or cut < "p/" + end))
