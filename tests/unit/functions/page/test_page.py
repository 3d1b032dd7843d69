"""The page of a run, drawn from a golden report: it is whole and asks nobody for anything."""

from __future__ import annotations

import json
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from imagemill_app.page.page import report_page
from imagemill_app.page.pictures import Shown, Tile

GOLDEN = Path(__file__).with_name("golden.json")
PIXEL = "data:image/webp;base64,UklGRhoAAABXRUJQ"
NOTHING = Shown([], {})
ADDRESSES = {"src", "href", "srcset", "action", "data", "poster", "xlink:href"}
EMPTY = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """What is in a page: tags, ids, addresses, and whether everything is closed."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag not in EMPTY:
            self.open.append(tag)
        for name, value in attrs:
            self.ids += [value or ""] if name == "id" else []
            self.addresses += [value or ""] if name in ADDRESSES else []
            self.handlers += [name] if name.startswith("on") else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def report() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return found


def pictures_of(report: dict[str, Any]) -> Shown:
    samples = report["sources"]["samples"]
    found = {"source": PIXEL, "resized": PIXEL, "edges": ""}
    tiles = [Tile(sample["key"], "caption", found) for sample in samples]
    return Shown(tiles, {"film.mp4": PIXEL})


def test_all_sections_are_there_and_everything_is_closed(report: dict[str, Any]) -> None:
    page = Page(report_page(report, pictures_of(report)))
    assert page.open == []
    assert page.ids == ["counts", "problems", "sheet", "bill", "time", "sources", "recipe"]
    assert page.tags["figure"] == len(report["sources"]["samples"])
    assert page.tags["polygon"] == 2
    assert page.tags["h1"] == 1
    assert report["sentence"] in page.text
    for problem in report["problems"]:
        assert f"imagemill retry {report['run_id']} --reason {problem['reason']}" in page.text


def test_nothing_outside_is_asked_for(report: dict[str, Any]) -> None:
    body = report_page(report, pictures_of(report))
    page = Page(body)
    assert page.addresses
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & page.tags.keys()
    assert page.handlers == []
    assert b"url(" not in body
    assert b"@import" not in body
    assert b"default-src 'none'; img-src data:; style-src 'unsafe-inline'" in body


def test_the_name_of_a_file_is_text_whatever_it_is(report: dict[str, Any]) -> None:
    hostile = '</pre><script>alert(1)</script>\udcff" onload="x'
    report["sentence"] = hostile
    report["problems"][0]["examples"][0] |= {"key": hostile, "detail": hostile}
    report["recipe"]["mode"] = hostile
    page = Page(report_page(report, Shown([Tile(hostile, hostile, {"source": PIXEL})], {})))
    assert page.tags["script"] == 0
    assert page.handlers == []


def test_the_bill_is_on_the_first_screen_and_adds_up(report: dict[str, Any]) -> None:
    page = Page(report_page(report, NOTHING))
    facts = page.text.split("What became of the pictures")[0]
    assert "cost" in facts
    assert "per million" in facts
    assert "206" in facts


def test_a_bill_at_prices_of_another_region_says_so(report: dict[str, Any]) -> None:
    said = "The run was in eu-west-1, where prices can differ."
    assert said not in Page(report_page(report, NOTHING)).text
    report["bill"]["prices"]["run_in"] = "eu-west-1"
    assert said in Page(report_page(report, NOTHING)).text


def test_a_run_that_had_nothing_to_do_has_a_page(report: dict[str, Any]) -> None:
    for counts in report["stages"].values():
        counts |= dict.fromkeys(counts, 0)
    for jobs in report["jobs"].values():
        jobs |= {"count": 0, "drawn": [], "slowest": [], "busy_ratio": None}
        jobs["timeline"] = {"width_seconds": 1, "bins": {}}
    report |= {"problems": [], "objects": 0, "seconds": 0.0}
    report["sources"] |= {"sizes": {}, "formats": {}, "samples": []}
    page = Page(report_page(report, NOTHING))
    assert page.ids == ["counts", "bill", "time", "recipe"]
    assert "No job has run." in page.text


def test_a_page_of_a_run_of_five_million_is_no_larger(report: dict[str, Any]) -> None:
    small = len(report_page(report, NOTHING))
    for counts in report["stages"].values():
        counts |= {name: 5_000_000 for name in counts}
    for jobs in report["jobs"].values():
        (row,) = jobs["drawn"]
        jobs |= {"count": 1_000, "drawn": [row] * 240, "slowest": [row] * 12}
        bins = {str(1_796_000_000 + number): 400.0 for number in range(128)}
        jobs["timeline"] = {"width_seconds": 1, "bins": bins}
    pictures = {"examples": [dict(report["problems"][0]["examples"][0])] * 12}
    report["problems"] = [{**row, **pictures, "count": 9_999} for row in report["problems"] * 11]
    large = len(report_page(report, NOTHING))
    assert large < small + 200_000
    assert large < 400_000  # with MAX_PICTURE_CHARACTERS less than 3 MB
