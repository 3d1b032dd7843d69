"""docs/report.md names every field of a report, and no other."""

from __future__ import annotations

import json
from pathlib import Path

from tests.helpers.pages import codes, table, text_of

PAGE = text_of("docs/report.md")
GOLDEN = Path(__file__).parents[1] / "functions" / "page" / "golden.json"


def test_fields_of_a_report_are_those_of_the_page() -> None:
    named = {name for row in table(PAGE, "field") for name in codes(row["field"])}
    assert named == set(json.loads(GOLDEN.read_text(encoding="utf-8")))
