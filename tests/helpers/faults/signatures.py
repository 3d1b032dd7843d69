"""Signature Version 4 as S3 checks it ("Authenticating Requests", S3 API reference)."""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import reduce
from urllib.parse import parse_qsl, quote, urlencode

from tests.helpers.faults.requests import Request

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key_id>[^/]+)/(?P<scope>[^,]+), ?"
    r"SignedHeaders=(?P<names>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


def is_signed(request: Request, secrets: dict[str, str]) -> bool:
    """Whether the request is what the owner of one of the keys has signed, its body too."""
    found = _AUTHORIZATION.fullmatch(request.head.header("authorization"))
    if not found or found["key_id"] not in secrets:
        return False
    digest = request.head.header("x-amz-content-sha256")
    if digest not in ("UNSIGNED-PAYLOAD", hashlib.sha256(request.body.content).hexdigest()):
        return False
    date = request.head.header("x-amz-date")
    canonical = hashlib.sha256(_canonical(request, found["names"], digest).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", date, found["scope"], canonical])
    steps = [*found["scope"].split("/"), text]
    key = ("AWS4" + secrets[found["key_id"]]).encode()
    signature = reduce(lambda key, step: hmac.digest(key, step.encode(), "sha256"), steps, key)
    return hmac.compare_digest(signature.hex(), found["signature"])


def _canonical(request: Request, names: str, digest: str) -> str:
    method, target, _ = request.head.start_line.split(" ")
    path, _, query = target.partition("?")
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    fields = urlencode(pairs, safe="-_.~", quote_via=quote)
    lines = [f"{name}:{' '.join(request.head.header(name).split())}" for name in names.split(";")]
    return "\n".join([method, path, fields, *lines, "", names, digest])
