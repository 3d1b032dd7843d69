from __future__ import annotations

import pytest

from imagemill_contract.errors import DocumentError
from imagemill_contract.reporting.run_report import decode_report, encode_report


def test_a_report_reads_back_with_its_version() -> None:
    assert decode_report(encode_report({"run_id": "a"})) == {"v": 2, "run_id": "a"}


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"{", "cannot be read"), (b"[]", "cannot be read"), (b'{"v": 1}', "is of version 1")],
)
def test_what_is_no_report_of_this_version_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        decode_report(body)
