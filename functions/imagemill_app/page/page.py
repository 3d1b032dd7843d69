"""Draws the page: `report.html`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from imagemill_app.page import charts, words
from imagemill_app.page.again import retry_command
from imagemill_app.page.bill_rows import bill_rows, packing_sentence
from imagemill_app.page.pictures import MAX_EXAMPLES_SHOWN, Shown
from imagemill_contract.keys import Stage

if TYPE_CHECKING:
    from jinja2 import Template

_MEANINGS = {
    "unsupported_format": "a kind of file that is not read",
    "not_an_image": "no kind of picture at all",
    "truncated": "the file ends before its last pixel",
    "corrupt": "the file cannot be decoded",
    "empty": "the file has no bytes",
    "too_many_pixels": "more pixels than the recipe allows",
    "too_many_bytes": "more than 512 MiB",
    "too_small": "too narrow for its format",
    "decoder_crashed": "the decoder crashed on it",
    "decoder_timeout": "the decoder took more than a minute",
    "not_kept": "what the recipe asks of its scores does not hold",
    "not_finite": "the model gives what is no number",
    "gone": "deleted after it was planned",
    "changed": "overwritten after it was planned",
    "unreadable_key": "its name is not Unicode, or has control characters",
    "key_collision": "its result would overwrite that of another picture",
    "no_row": "neither manifest nor side-car files say anything of its columns",
    "bad_row": "its columns cannot be read",
    "duplicate": "another picture has the same bytes",
    "no_label": "it lies in no folder, so it has no class",
    "access_denied": "the store does not let the job read it",
    "store_error": "the store answers with an error for it alone",
    "damaged": "what is read is not what was written",
    "overwritten": "a run with another recipe overwrote it",
    "job_failed": "its job was given up",
}


def report_page(report: Mapping[str, Any], pictures: Shown) -> bytes:
    """The whole page. Nothing in it refers to anything outside of it."""
    text = _template().render(
        report=report,
        pictures=pictures,
        facts=_facts(report),
        meanings=_MEANINGS,
        bill=bill_rows(report),
        packing=packing_sentence(report),
        throughput=charts.throughput(report["jobs"]),
        job_bars={stage: charts.job_bars(row["drawn"]) for stage, row in report["jobs"].items()},
        sizes=charts.sizes(report["sources"]["sizes"]),
        formats=charts.formats(report["sources"]["formats"]),
        request=_request(report),
        retry_command=retry_command,
        examples_shown=MAX_EXAMPLES_SHOWN,
        nice=charts.nice,
        words=words,
    )
    return text.encode("utf-8", "backslashreplace")


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined  # only the end of a run needs it

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["readable"] = words.readable
    text = (files("imagemill_app.page") / "report.html.j2").read_text(encoding="utf-8")
    return environment.from_string(text)


def _facts(report: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What stands first, in large figures: name, figure, and a note."""
    stages, seconds = report["stages"], report["seconds"]
    written = min(counts["written"] for counts in stages.values())
    planned = stages[Stage.RESIZE]["planned"]
    bad = {
        status: sum(counts[status] for counts in stages.values())
        for status in ("rejected", "failed")
    }
    bill = report["bill"]
    rate = written / seconds if seconds else 0.0
    return [
        ("pictures done", words.count(written), f"of {words.count(planned)} planned"),
        ("rejected", words.count(bad["rejected"]), "bad pictures"),
        ("failed", words.count(bad["failed"]), "not the picture's fault"),
        ("time", words.span(seconds), f"{charts.nice(rate)} pictures/s"),
        (
            "cost",
            words.dollars(bill["total_dollars"]),
            f"{words.dollars(bill['per_million_dollars'])} per million",
        ),
    ]


def _request(report: Mapping[str, Any]) -> str:
    """The input of an execution that does the same again."""
    names = ("source", "output", "recipe")
    return json.dumps({name: report[name] for name in names}, ensure_ascii=False, indent=2)
