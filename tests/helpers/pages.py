"""The project's pages, and what stands in them: sections, tables, commands, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from imagemill.project import ROOT

README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *DOCS.rglob("*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("engine/**/*.md"),
        *ROOT.glob("tests/events/*.md"),
    ]
)


def page_id(page: Path) -> str:
    """What a test calls a page: its path in the repository."""
    return page.relative_to(ROOT).as_posix()


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def section(text: str, title: str) -> str:
    """What stands below the heading `title`, of any level, up to the next one of its level."""
    found = re.search(rf"^(#+) {re.escape(title)}\n", text, re.M)
    assert found, f"there is no section {title!r}"
    end = re.search(rf"^#{{1,{len(found[1])}}} ", text[found.end() :], re.M)
    return text[found.end() :][: end.start() if end else None]


def tables(text: str) -> list[list[dict[str, str]]]:
    """All tables, each as its rows by column heading. Cells have no outer spaces."""
    found = []
    for block in re.findall(r"(?:^\|.*\|\n?)+", text, re.M):
        heading, rule, *rows = [_cells(line) for line in block.splitlines()]
        assert all(set(cell) <= set("-: ") for cell in rule), block
        found.append([dict(zip(heading, row, strict=True)) for row in rows])
    return found


def table(text: str, heading: str) -> list[dict[str, str]]:
    """The rows of all tables whose first column has that heading."""
    rows = [row for found in tables(text) for row in found if next(iter(row)) == heading]
    assert rows, f"there is no table of {heading!r}"
    return rows


def plain(cell: str) -> str:
    """A cell without its backticks."""
    return cell.replace("`", "")


def codes(text: str) -> list[str]:
    """What stands between backticks within lines."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return re.findall(r"`([^`\n]+)`", prose)


def command_lines(text: str) -> Iterator[list[str]]:
    """Commands as lists of words: lines of code blocks and code within lines, comments left out."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    joined = [block.replace("\\\n", " ") for language, block in blocks if not language]
    for line in [*(line for block in joined for line in block.splitlines()), *codes(text)]:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # prose with an apostrophe, a picture of text
            continue
        if words:
            yield words


def links(text: str) -> list[str]:
    """Targets of all links and pictures."""
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(text: str) -> set[str]:
    """What links can point at in a page: its headings, as GitHub writes them in addresses."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
