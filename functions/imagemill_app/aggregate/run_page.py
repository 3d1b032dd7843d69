"""Writes the page of a run, with pictures from its source and its results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from obstore.exceptions import BaseError

from imagemill_app.page.page import report_page
from imagemill_app.page.pictures import Shown, shown_pictures
from imagemill_app.stores import store_of, write_bytes
from imagemill_contract.keys import report_page_key
from imagemill_contract.locations import Location
from imagemill_contract.reporting.previews import Preview


def pictures_for(report: Mapping[str, Any], previews: Mapping[str, Preview]) -> Shown:
    """Small copies of what the report names; a picture that cannot be had is left out.

    `previews` are those of results that lie in dataset shards, by the source's key.
    """
    source = Location.parse(report["source"], "report.source")
    output = Location.parse(report["output"], "report.output")
    return shown_pictures(report, partial(_body, source), partial(_body, output), previews)


def write_page(output: Location, report: Mapping[str, Any], pictures: Shown) -> None:
    """Write the page of a report."""
    write_bytes(output, report_page_key(report["run_id"]), report_page(report, pictures))


def _body(location: Location, key: str) -> bytes | None:
    try:
        return store_of(location.root).get(key).bytes().to_bytes()
    except (BaseError, FileNotFoundError, ValueError):  # gone, denied, or a key that is too odd
        return None
