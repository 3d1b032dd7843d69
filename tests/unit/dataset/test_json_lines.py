from __future__ import annotations

from contextlib import suppress

from imagemill_contract.document_parts.lines import encode_lines
from imagemill_contract.errors import DocumentError
from imagemill_dataset.parts.json_lines import opened_lines


def test_document_with_a_wrong_bit_is_refused_or_tells_the_same() -> None:
    rows: list[dict[str, object]] = [{"key": f"{number}.jpg"} for number in range(30)]
    body = encode_lines("index", {}, rows)
    for bit in range(len(body) * 8):
        damaged = bytearray(body)
        damaged[bit // 8] ^= 1 << bit % 8
        with suppress(DocumentError):
            header, lines = opened_lines("index", bytes(damaged))
            assert (header, list(lines)) == ({}, rows)
