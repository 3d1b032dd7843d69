"""The page of a run in a browser: whole at any width, in both themes, and alone."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imagemill_app.page.page import report_page
from imagemill_app.page.pictures import Shown, Tile
from tests.helpers.browser import CHROMIUM, seen

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium here; test_page.py looks at the page's structure"
)

GOLDEN = Path(__file__).with_name("golden.json")
Rows = dict[str, dict[str, Any]]
PHONE, DESK = 380, 1100
LONG = "a-very-long-name-without-any-place-to-break-it-" * 4 + ".jpg"


def picture() -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (96, 72), (200, 90, 30)).save(buffer, "WEBP")
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def small_page() -> bytes:
    report: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return report_page(report, shown(report))


def large_page() -> bytes:
    """Of five million pictures, with names and numbers as long as they get."""
    report: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for counts in report["stages"].values():
        counts |= dict.fromkeys(counts, 5_000_000)
    for jobs in report["jobs"].values():
        (row,) = jobs["drawn"]
        jobs |= {"count": 1_000, "drawn": [row] * 240, "slowest": [row] * 12}
        bins = {str(1_796_000_000 + number): 400.0 for number in range(128)}
        jobs["timeline"] = {"width_seconds": 1, "bins": bins}
    for problem in report["problems"]:
        problem["examples"] = [{"key": f"{LONG}{n}", "bytes": 9, "detail": LONG} for n in range(12)]
        problem["count"] = 1_234_567
    for sample in report["sources"]["samples"]:
        sample["key"] = LONG
    report |= {"objects": 5_000_000, "seconds": 360_000.0, "source": f"s3://input/{LONG}/"}
    report["bill"] |= {"total_dollars": 12_345.67, "per_million_dollars": 2_469.13}
    report["bill"]["used"]["requests"] |= {"get": 123_456_789, "put": 98_765_432}
    return report_page(report, shown(report))


def shown(report: dict[str, Any]) -> Shown:
    tiles = [
        Tile(
            sample["key"],
            "1.2 MB to 128 x 128",
            {"source": picture(), "resized": picture(), "edges": ""},
        )
        for sample in report["sources"]["samples"]
    ]
    return Shown(tiles, {"film.mp4": picture()})


@pytest.fixture(scope="module", params=["light", "dark"])
def looked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Both pages at both widths, in one theme."""
    pages = {
        f"{name}-{width}": (body, width)
        for name, body in (("small", small_page()), ("large", large_page()))
        for width in (PHONE, DESK)
    }
    folder = tmp_path_factory.mktemp("chromium")
    found = seen(pages, folder, is_dark=request.param == "dark")
    papers = {row["paper"] for row in found.values()}
    assert papers == {"rgb(13, 17, 23)" if request.param == "dark" else "rgb(255, 255, 255)"}
    return found


def test_nothing_is_wider_than_the_page_on_a_phone_and_on_a_desk(
    looked: Rows,
) -> None:
    assert len(looked) == 4
    for name, row in looked.items():
        assert row["out"] == [], name
        assert row["needed"] == row["width"] == int(name.rpartition("-")[2])
        assert 1000 < row["height"] < 20_000
        assert row["pictures"] > 12


def test_nobody_is_asked_for_anything(looked: Rows) -> None:
    assert {name: row["asked"] for name, row in looked.items()} == {name: [] for name in looked}


def test_a_page_that_does_ask_or_is_too_wide_is_found_out(tmp_path: Path) -> None:
    body = b'<img src="http://elsewhere.test/a.png"><link rel="stylesheet" href="/b.css">'
    wide = b"<body><p style='width:900px'>wide</p>"
    found = seen({"asking": (body, PHONE), "wide": (wide, PHONE)}, tmp_path)
    assert [asked.rpartition("/")[2] for asked in found["asking"]["asked"]] == ["a.png", "b.css"]
    assert found["wide"]["needed"] > PHONE
    assert found["wide"]["out"] == ["P wide"]
