"""`runs/index.json`: one row for each run that has ended, for whoever lists or sorts them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from imagemill_contract.errors import DocumentError

VERSION = 1
# The oldest rows are dropped. Their reports stay where they are.
MAX_RUNS = 10_000


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run that has ended.

    Attributes:
        started: When its execution started, in ISO 8601.
        ended: When its report was written.
        verdict: `succeeded` or `failed`.
        sentence: How it ended.
        source: Address of the source pictures.
        output: Address of the results.
        planned: How many pictures it had to do.
        written: How many of them have results of all stages.
        rejected: How many were rejected, in any stage.
        failed: How many failed, in any stage.
        bytes: Bytes of the planned source objects.
        dollars: What it cost, at list prices; None if that is not known.
        report: Address of its `report.json`.
        page: Address of its `report.html`, or "" if there is none.
    """

    run_id: str
    started: str
    ended: str
    verdict: str
    sentence: str
    source: str
    output: str
    planned: int
    written: int
    rejected: int
    failed: int
    bytes: int
    dollars: float | None
    report: str
    page: str = ""


def decode_runs(body: bytes) -> list[RunRow]:
    """The rows, the newest run first. Raises DocumentError for another version or shape."""
    try:
        document = json.loads(body)
        if document["v"] != VERSION:
            raise DocumentError(f"The list of runs is of version {document['v']}, not {VERSION}.")
        return [_row(row) for row in document["runs"]]
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(f"The list of runs cannot be read: {error}.") from error


def encode_runs(rows: Iterable[RunRow]) -> bytes:
    newest = sorted(rows, key=lambda row: (row.started, row.run_id), reverse=True)[:MAX_RUNS]
    lines = ",\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in newest)
    return f'{{"v": {VERSION}, "runs": [\n{lines}\n]}}\n'.encode()


def with_run(body: bytes | None, row: RunRow) -> bytes:
    """The list with this run's row added or replaced. `body` is None where there is no list yet."""
    others = [other for other in decode_runs(body or encode_runs([])) if other.run_id != row.run_id]
    return encode_runs([row, *others])


def _row(document: Mapping[str, Any]) -> RunRow:
    """A row; names that a later program has added are left out."""
    known = {item.name for item in fields(RunRow)}
    return RunRow(**{name: value for name, value in document.items() if name in known})
