"""Requests that a proxy has seen, by what they cost."""

from __future__ import annotations

from collections import Counter

from imagemill_contract.reporting.usage import Request
from tests.helpers.faults.proxy import FaultProxy
from tests.helpers.faults.requests import Operation

KINDS = {
    Operation.GET: Request.GET,
    Operation.HEAD: Request.GET,
    Operation.LIST: Request.LIST,
    Operation.PUT: Request.PUT,
    Operation.CREATE_UPLOAD: Request.PUT,
    Operation.PUT_PART: Request.PUT,
    Operation.COMPLETE_UPLOAD: Request.PUT,
    Operation.DELETE: Request.DELETE,
    Operation.DELETE_MANY: Request.DELETE,
}


def priced(proxy: FaultProxy) -> dict[str, int]:
    """How many requests of each kind have come; other services than S3 are left out."""
    counts: Counter[str] = Counter()
    for operation, count in proxy.totals.items():
        if operation in KINDS:
            counts[str(KINDS[operation])] += count
    return dict(sorted(counts.items()))
