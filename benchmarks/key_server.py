"""A loopback S3 that lists any number of made-up keys, and stores what is written.

`python -m benchmarks.key_server COUNT DONE` prints its port and, for each line on its input, a line
of JSON with the requests so far. Keys are hexadecimal names under `full/`, listed as by S3: in
order, 1,000 per page. They are calculated, not held. The first DONE of them have results in the
output bucket. Signatures are not checked.
"""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

PAGE = 1000
_DATE = {"Last-Modified": "Mon, 23 Nov 2026 10:15:30 GMT"}
OBJECT_BYTES = 670_000
DIGITS = 16


def name_of(number: int, count: int) -> str:
    """The name of a key below `full/`: names lie evenly, and in the order of numbers."""
    return f"{number * 16**DIGITS // count:0{DIGITS}x}.jpg"


def etag_of(number: int) -> str:
    return f"{number * 0x9E3779B97F4A7C15 % 2**128:032x}"


class Names:
    """Keys of one folder: the first `count` of `total` names, each with an ending."""

    def __init__(self, folder: str, ending: str, count: int, total: int) -> None:
        self.folder, self.ending, self.count, self.total = folder, ending, count, total

    def key(self, number: int) -> str:
        return f"{self.folder}{name_of(number, self.total)}{self.ending}"

    def first_after(self, key: str) -> int:
        return bisect_right(range(self.count), key, key=self.key) if key else 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folders: dict[str, Names]
    bodies: dict[str, bytes]  # by path
    paths: list[str]  # of the bodies, in order
    parts: dict[tuple[str, int], bytes]  # of uploads that have begun
    requests: Counter[str]
    lock = Lock()

    def do_GET(self) -> None:
        path, query = self._parsed()
        if "list-type" in query:
            self.requests["LIST"] += 1
            self._answer(200, self._listing(path.strip("/"), query))
            return
        self.requests["GET"] += 1
        body = self.bodies.get(path)
        self._answer(404 if body is None else 200, body or b"", {"ETag": '"0"', **_DATE})

    def do_HEAD(self) -> None:
        self.requests["HEAD"] += 1
        body = self.bodies.get(self._parsed()[0])
        length = {"ETag": '"0"', "Content-Length": str(len(body or b"")), **_DATE}
        self._answer(404 if body is None else 200, b"", length)

    def do_PUT(self) -> None:
        self.requests["PUT"] += 1
        path, query = self._parsed()
        if "partNumber" in query:
            self.parts[query["uploadId"], int(query["partNumber"])] = self._body()
        elif "x-amz-copy-source" in self.headers:
            source = "/" + unquote(self.headers["x-amz-copy-source"]).lstrip("/")
            self._store(path, self.bodies[source])
            self._answer(200, b"<CopyObjectResult><ETag>0</ETag></CopyObjectResult>")
            return
        else:
            self._store(path, self._body())
        self._answer(200, b"", {"ETag": '"0"'})

    def do_POST(self) -> None:
        self.requests["POST"] += 1
        path, query = self._parsed()
        body = self._body()
        if "uploads" in query:
            number = str(len(self.parts))
            self._answer(200, f"<I><UploadId>{path}{number}</UploadId></I>".encode())
        elif "uploadId" in query:
            mine = sorted(part for part in self.parts if part[0] == query["uploadId"])
            self._store(path, b"".join(self.parts.pop(part) for part in mine))
            self._answer(200, b"<C><ETag>0</ETag></C>")
        else:
            keys = re.findall("<Key>(.*?)</Key>", body.decode())
            for key in map(unescape, keys):
                self._remove(f"{path.rstrip('/')}/{key}")
            deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def _remove(self, path: str) -> None:
        with self.lock:
            if self.bodies.pop(path, None) is not None:
                self.paths.remove(path)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _store(self, path: str, body: bytes) -> None:
        with self.lock:
            if path not in self.bodies:
                insort(self.paths, path)
            self.bodies[path] = body

    def _listing(self, bucket: str, query: dict[str, str]) -> bytes:
        prefix = query.get("prefix", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        most = min(int(query.get("max-keys", PAGE)), PAGE)
        names = self.folders.get(f"{bucket}/{prefix}")
        if names is not None:
            first = names.first_after(after)
            numbers = range(first, min(first + most, names.count))
            page = [(names.key(number), etag_of(number), OBJECT_BYTES) for number in numbers]
            has_more = first + most < names.count
        else:
            found = list(self._stored(f"/{bucket}/", prefix, after, most + 1))
            page, has_more = found[:most], len(found) > most
        return _document(page, page[-1][0] if has_more else "", query)

    def _stored(
        self, root: str, prefix: str, after: str, most: int
    ) -> Iterator[tuple[str, str, int]]:
        with self.lock:
            first = bisect_left(self.paths, root + prefix)
            if after:
                first = max(first, bisect_right(self.paths, root + after))
            for path in self.paths[first : first + most]:
                if not path.startswith(root + prefix):
                    return
                yield path.removeprefix(root), "0", len(self.bodies[path])

    def _parsed(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        return unquote(parts.path), {name: values[0] for name, values in query.items()}

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: a line per request would be the slowest part."""


def _document(page: list[tuple[str, str, int]], token: str, query: dict[str, str]) -> bytes:
    entries = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-23T10:15:30.000Z</LastModified>"
        f"<ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for key, etag, size in page
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
    count, done = int(sys.argv[1]), int(sys.argv[2])
    Handler.folders = {
        "input-bucket/full/": Names("full/", "", count, count),
        "output-bucket/resized/": Names("resized/", "", done, count),
        "output-bucket/edges/": Names("edges/", ".png", done, count),
    }
    Handler.bodies, Handler.paths, Handler.parts, Handler.requests = {}, [], {}, Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    for _ in sys.stdin:
        print(json.dumps(Handler.requests), flush=True)
        Handler.requests.clear()


if __name__ == "__main__":
    main()
