"""A loopback S3 that lists any number of made-up keys, and stores nothing but the index.

`python -m benchmarks.key_server COUNT DONE` prints its port and, for each line on its input, a line
of JSON with the requests so far. Keys are hash names under `full/`, listed as by S3: in order,
1,000 per page. The first DONE of them have results in the output bucket. Signatures are not
checked.
"""

from __future__ import annotations

import bisect
import hashlib
import json
import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000
_DATE = {"Last-Modified": "Mon, 23 Nov 2026 10:15:30 GMT"}
OBJECT_BYTES = 670_000


def keys_of(count: int) -> list[str]:
    names = (hashlib.sha256(str(number).encode()).hexdigest() for number in range(count))
    return sorted(f"full/{name}.jpg" for name in names)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    buckets: dict[str, list[str]]  # keys in order
    index: dict[str, bytes]
    requests: Counter[str]

    def do_GET(self) -> None:
        path, query = self._parsed()
        if "list-type" in query:
            self.requests["LIST"] += 1
            keys = self._keys(path.strip("/"), query.get("prefix", ""))
            self._answer(200, _page(keys, query))
            return
        self.requests["GET"] += 1
        body = self.index.get(path)
        self._answer(404 if body is None else 200, body or b"", {"ETag": '"0"', **_DATE})

    def do_HEAD(self) -> None:
        self.requests["HEAD"] += 1
        self._answer(404, b"")

    def do_PUT(self) -> None:
        self.requests["PUT"] += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "/index/" in self.path:
            self.index[self._parsed()[0]] = body
        self._answer(200, b"", {"ETag": '"0"'})

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        if prefix.startswith("index/"):
            return sorted(path.removeprefix(f"/{bucket}/") for path in self.index)
        return self.buckets.get(bucket + "/" + prefix, [])

    def _parsed(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        return parts.path, {name: values[0] for name, values in query.items()}

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: a line per request would be the slowest part."""


def _page(keys: list[str], query: dict[str, str]) -> bytes:
    after = query.get("continuation-token") or query.get("start-after", "")
    first = bisect.bisect_right(keys, after) if after else 0
    most = min(int(query.get("max-keys", PAGE)), PAGE)
    page = keys[first : first + most]
    return _listing(page, page[-1] if first + most < len(keys) else "", query)


def _listing(page: list[str], token: str, query: dict[str, str]) -> bytes:
    entries = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-23T10:15:30.000Z</LastModified>"
        f"<ETag>&quot;{key[5:37]}&quot;</ETag><Size>{OBJECT_BYTES}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for key in page
    )
    more = f"<NextContinuationToken>{escape(token)}</NextContinuationToken>" if token else ""
    truncated = "true" if token else "false"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<ListBucketResult><Name>b</Name><Prefix>{escape(query.get('prefix', ''))}</Prefix>"
        f"<KeyCount>{len(page)}</KeyCount><MaxKeys>1000</MaxKeys>"
        f"<IsTruncated>{truncated}</IsTruncated>{more}{entries}</ListBucketResult>"
    ).encode()


def main() -> None:
    keys = keys_of(int(sys.argv[1]))
    done = [key.removeprefix("full/") for key in keys[: int(sys.argv[2])]]
    Handler.buckets = {
        "input-bucket/full/": keys,
        "output-bucket/resized/": [f"resized/{name}" for name in done],
        "output-bucket/edges/": [f"edges/{name}.png" for name in done],
    }
    Handler.index, Handler.requests = {}, Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    for _ in sys.stdin:
        print(json.dumps(Handler.requests), flush=True)


if __name__ == "__main__":
    main()
