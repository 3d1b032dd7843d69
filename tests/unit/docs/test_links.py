"""Every link leads somewhere, every page is reached, every named file is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.pages import DOCS, PAGES, README, anchors, links, page_id, table


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in links(page.read_text("utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link


def linked_pages(page: Path) -> set[Path]:
    names = (link.partition("#")[0] for link in links(page.read_text("utf-8")))
    return {(page.parent / name).resolve() for name in names if name.endswith(".md")}


def test_readme_links_every_page_of_docs_itself() -> None:
    assert set(DOCS.glob("*.md")) - {DOCS / "README.md"} <= linked_pages(README)


def test_index_of_docs_has_every_page() -> None:
    assert set(DOCS.glob("*.md")) - {DOCS / "README.md"} <= linked_pages(DOCS / "README.md")


def test_readme_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 150


def test_links_that_lead_nowhere_are_found() -> None:
    assert links("[a](b.md#c) ![d](e.png)") == ["b.md#c", "e.png"]
    assert anchors("# What `OUT` holds, again\n") == {"what-out-holds-again"}


def test_index_of_decisions_has_every_record_with_its_status_and_date() -> None:
    index = (DOCS / "decisions" / "README.md").read_text("utf-8")
    records = sorted(DOCS.glob("decisions/0*.md"))
    rows = table(index, "record")
    assert [row["record"] for row in rows] == [
        f"[{record.read_text('utf-8').partition(chr(10))[0].removeprefix('# ')}]({record.name})"
        for record in records
    ]
    for row, record in zip(rows, records, strict=True):
        text = record.read_text("utf-8")
        assert f"\n- Status: {row['status']}\n- Date: {row['date']}\n" in text
        assert row["status"] == "accepted" or row["status"].startswith("superseded by")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"])
