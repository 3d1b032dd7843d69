"""Small copies of pictures: what kills or fools the decoder costs its own preview alone."""

from __future__ import annotations

import io
import os
import signal
from typing import Any

import pytest
from PIL import Image

from imagemill_app.page import previews
from imagemill_app.page.pictures import MAX_PICTURE_CHARACTERS, shown_pictures
from imagemill_app.page.previews import Previews
from imagemill_app.page.shrink import MAX_SOURCE_BYTES
from imagemill_contract.reporting.previews import Preview
from tests.helpers.pictures import jpeg, png_declaring


def test_a_preview_is_a_small_picture() -> None:
    maker = Previews()
    try:
        small = maker.of(jpeg(1200, 600))
    finally:
        maker.close()
    assert small is not None
    with Image.open(io.BytesIO(small)) as image:
        assert (image.format, image.size) == ("WEBP", (240, 120))


def test_what_cannot_be_decoded_has_none_and_costs_no_other() -> None:
    maker = Previews()
    bad = (b"text", b"", png_declaring(20_000, 20_000), bytes(MAX_SOURCE_BYTES + 1))
    try:
        assert [maker.of(body) for body in bad] == [None] * len(bad)
        assert maker.of(jpeg(96, 64))
    finally:
        maker.close()


def test_a_process_that_dies_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Previews()
    try:
        assert maker.of(jpeg(96, 64))
        assert maker._process is not None
        os.kill(maker._process.pid, signal.SIGSTOP)
        monkeypatch.setattr(previews, "PICTURE_SECONDS", 0.2)
        assert maker.of(jpeg(96, 64)) is None
        monkeypatch.undo()
        assert maker.of(jpeg(96, 64))
    finally:
        maker.close()


def report_of(keys: list[str], position: int | None = None) -> dict[str, Any]:
    sample = {"bytes": 10, "width": 8, "height": 8, "position": position}
    samples = [
        {**sample, "key": key, "results": {"resize": f"resized/{key}", "edge": f"edges/{key}"}}
        for key in keys
    ]
    examples = [
        {"key": "bad.jpg", "bytes": 9, "detail": ""},
        {"key": "e", "bytes": 0, "detail": ""},
    ]
    return {"sources": {"samples": samples}, "problems": [{"examples": examples}]}


def test_tiles_have_source_and_results_and_examples_are_shown_where_they_decode() -> None:
    shown = shown_pictures(report_of(["a.jpg"]), lambda _: jpeg(96, 64), lambda _: jpeg(8, 8), {})
    (tile,) = shown.tiles
    assert list(tile.pictures) == ["source", "resized", "edges"]
    addresses = (*tile.pictures.values(), shown.examples["bad.jpg"])
    assert all(address.startswith("data:image/webp;base64,") for address in addresses)
    assert shown.examples.keys() == {"bad.jpg"}


def test_of_what_is_packed_is_shown_what_its_job_left() -> None:
    def read_output(_key: str) -> bytes:
        raise AssertionError("a dataset shard is no picture")

    packed = {"a.jpg": Preview("a.jpg", "UklGRg==", "")}
    shown = shown_pictures(report_of(["a.jpg", "b.jpg"], 0), lambda _: None, read_output, packed)
    first, second = shown.tiles
    address = "data:image/webp;base64,UklGRg=="
    assert first.pictures == {"source": "", "resized": address, "edges": ""}
    assert second.pictures == {"source": "", "resized": "", "edges": ""}


def test_pictures_of_a_page_never_have_more_than_their_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Previews, "of", lambda *_: bytes(MAX_PICTURE_CHARACTERS // 4))
    shown = shown_pictures(report_of(["a", "b", "c"]), lambda _: b"1", lambda _: b"2", {})
    addresses = [item for tile in shown.tiles for item in tile.pictures.values()]
    assert sum(map(bool, addresses)) == 3
    large = "A" * (MAX_PICTURE_CHARACTERS // 3)
    packed = {key: Preview(key, large, large) for key in ("a", "b", "c")}
    shown = shown_pictures(report_of(["a", "b", "c"], 0), lambda _: None, lambda _: None, packed)
    assert sum(bool(item) for tile in shown.tiles for item in tile.pictures.values()) == 3
    assert MAX_PICTURE_CHARACTERS < 2_500_000
