"""What was not written in a run: chosen by reason, counted, and as a manifest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from imagemill.deployed.documents import Failure
from imagemill.errors import UsageError
from imagemill_contract.document_parts.lines import Row
from imagemill_contract.outcomes import Reason


def checked_reasons(typed: Sequence[str]) -> list[Reason]:
    """The reasons of that names. Raises UsageError, which lists all of them."""
    unknown = [name for name in typed if name not in set(Reason)]
    if unknown:
        raise UsageError(
            f'--reason: "{unknown[0]}" is not allowed; it must be one of {", ".join(Reason)}.'
        )
    return [Reason(name) for name in typed]


def with_reason(rows: Sequence[Failure], reasons: Sequence[Reason]) -> list[Failure]:
    """The rows of one of the reasons; all of them if no reason is given."""
    return [row for row in rows if not reasons or row.get("reason") in reasons]


def counts_by_reason(rows: Sequence[Failure]) -> dict[str, int]:
    """How many there are of each reason, the most frequent first."""
    return dict(Counter(str(row.get("reason", "unknown")) for row in rows).most_common())


def manifest_of(keys: Iterable[str], columns: Mapping[str, Row]) -> bytes:
    """The keys as a manifest, in order: the planner looks up what these objects are now.

    `columns` are values by keys, of those that had any.
    """
    lines = ({"key": key, **columns.get(key, {})} for key in sorted(keys))
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
