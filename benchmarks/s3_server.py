"""A loopback S3 with one bucket in memory that is as slow to the first byte as the real one.

`python -m benchmarks.s3_server FOLDER SECONDS` serves the photographs in the folder under any
number of names, and keeps what is put. The wait for a first byte is between half of SECONDS and
SECONDS. It prints its port and, for each line on its input, a line of JSON: the number of writes,
and the seconds from the first read to the last write. Signatures are not checked.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

ETAG = "e"  # of everything that is put


class Bucket:
    """Objects by key. Many keys may share one body: `photo/123` is body 123 modulo their number."""

    def __init__(self, folder: Path, wait_seconds: float) -> None:
        self.wait_seconds = wait_seconds
        self.photographs = [path.read_bytes() for path in sorted(folder.glob("*/*.jpg"))]
        self.etags = [hashlib.md5(body).hexdigest() for body in self.photographs]  # noqa: S324 # as S3 does it
        self.put: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}  # of uploads that have begun
        self.first_request, self.first_read, self.last_write, self.writes = 0.0, 0.0, 0.0, 0

    def answer(self, method: str, target: str, body: bytes) -> tuple[str, bytes]:
        """Header lines and body of the response."""
        path, _, text = target.partition("?")
        key = unquote(path).removeprefix("/bucket/")
        query = {name: values[0] for name, values in parse_qs(text, True).items()}
        if "list-type" in query:
            return "200 OK", self.listing(query["prefix"])
        if "uploads" in query or "uploadId" in query:
            return self.answer_upload(method, key, query, body)
        if method == "PUT":
            self.write(key, body)
            return f'200 OK\r\nETag: "{ETAG}"', b""
        found = self.get(key)
        if not found:
            return "404 Not Found", b""
        modified = "Last-Modified: Mon, 02 Jan 2023 00:00:00 GMT"
        return f'200 OK\r\nETag: "{found[1]}"\r\n{modified}', found[0]

    def listing(self, prefix: str) -> bytes:
        """What was put below a prefix, on one page: jobs list their journal."""
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(body)}</Size><ETag>{ETAG}</ETag>"
            "<LastModified>2023-01-02T00:00:00.000Z</LastModified></Contents>"
            for key, body in sorted(self.put.items())
            if key.startswith(prefix)
        )
        return f"<ListBucketResult>{entries}</ListBucketResult>".encode()

    def answer_upload(
        self, method: str, key: str, query: dict[str, str], body: bytes
    ) -> tuple[str, bytes]:
        """The response to a request of a multipart upload: its start, a part, or its end."""
        if "uploads" in query:
            number = f"upload-{len(self.parts)}"
            self.parts[number] = {}
            name = "InitiateMultipartUploadResult"
            return "200 OK", f"<{name}><UploadId>{number}</UploadId></{name}>".encode()
        parts = self.parts[query["uploadId"]]
        if method == "PUT":
            parts[int(query["partNumber"])] = body
            return f'200 OK\r\nETag: "{ETAG}"', b""
        self.write(key, b"".join(parts[number] for number in sorted(parts)))
        parts.clear()
        name = "CompleteMultipartUploadResult"
        return "200 OK", f"<{name}><ETag>{ETAG}</ETag></{name}>".encode()

    def get(self, key: str) -> tuple[bytes, str] | None:
        if key.startswith("photo/"):
            self.first_read = self.first_read or time.monotonic()
            number = int(key.removeprefix("photo/").partition(".")[0]) % len(self.photographs)
            return self.photographs[number], self.etags[number]
        return (self.put[key], ETAG) if key in self.put else None

    def write(self, key: str, body: bytes) -> None:
        self.put[key] = body
        if key.startswith("out/resized/"):
            self.writes += 1
            self.last_write = time.monotonic()

    def report(self) -> str:
        seconds = self.last_write - self.first_read
        line = json.dumps(
            {
                "writes": self.writes,
                "seconds": seconds,
                "first_request": self.first_request,
                "first_read": self.first_read,
                "put_bytes": sum(map(len, self.put.values())),
            }
        )
        self.first_request, self.first_read, self.writes = 0.0, 0.0, 0
        return line


async def answer(
    bucket: Bucket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """All requests of one connection."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            bucket.first_request = bucket.first_request or time.monotonic()
            lines = head.decode("latin1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
            if "expect" in headers:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            await asyncio.sleep(random.uniform(bucket.wait_seconds / 2, bucket.wait_seconds))
            head_lines, content = bucket.answer(method, target, body)
            writer.write(
                f"HTTP/1.1 {head_lines}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
            )
            writer.write(content if method != "HEAD" else b"")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve(folder: Path, wait_seconds: float) -> None:
    bucket = Bucket(folder, wait_seconds)
    server = await asyncio.start_server(
        lambda reader, writer: answer(bucket, reader, writer), "127.0.0.1", 0, limit=1 << 20
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(bucket.report(), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2])))
