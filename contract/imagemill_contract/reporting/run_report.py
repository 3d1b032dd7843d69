"""`runs/<run_id>/report.json`: what became of a run, for programs. docs/report.md says how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from imagemill_contract.errors import DocumentError

REPORT_VERSION = 2


def encode_report(fields: Mapping[str, object]) -> bytes:
    """The report as it is written, with its version in front."""
    document = {"v": REPORT_VERSION, **fields}
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def decode_report(body: bytes) -> dict[str, Any]:
    """The fields of a report. Raises DocumentError for another version or no report at all."""
    try:
        document: dict[str, Any] = json.loads(body)
        version = document.get("v")
    except (ValueError, AttributeError) as error:
        raise DocumentError(f"The report cannot be read: {error}.") from error
    if version != REPORT_VERSION:
        raise DocumentError(
            f"The report is of version {version}; this program reads version {REPORT_VERSION}."
        )
    return document
