"""S3 in memory: what our clients ask of objects, with true ETags and signatures that are checked.

Every bucket exists. Bodies in `aws-chunked`, versions and settings of buckets are not known.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from email.utils import formatdate
from xml.sax.saxutils import escape

from tests.helpers.faults.exchange import Answer
from tests.helpers.faults.messages import Head
from tests.helpers.faults.requests import Operation, Request, read_request
from tests.helpers.faults.server_thread import ServerThread
from tests.helpers.faults.signatures import is_signed

KEY_ID, SECRET = "AKIDMEMORY", "secret-of-memory"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_MODIFIED = formatdate(1_700_000_000, usegmt=True)
_REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 304: "Not Modified"}


class MemoryS3(ServerThread):
    """Runs for the time of a `with` block.

    Attributes:
        objects: Bodies by bucket and key; a test may read and change them.
        uploads: Parts by number, of uploads that are not complete.
        requests: How many have come.
    """

    def __init__(self, *, is_public: bool = False) -> None:
        """`is_public`: requests that bear no signature are answered, too."""
        super().__init__()
        self._is_public = is_public
        self.objects: dict[tuple[str, str], bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.requests = 0
        self._begun = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader, writer):
            self.requests += 1
            answer = self._answer(request)
            writer.write(answer.head.encode())
            writer.write(b"" if request.method == "HEAD" else answer.content)
            await writer.drain()

    def _answer(self, request: Request) -> Answer:
        is_unsigned = self._is_public and not request.head.header("authorization")
        if not is_unsigned and not is_signed(request, {KEY_ID: SECRET}):
            return _error(403, "SignatureDoesNotMatch")
        answers: dict[Operation, Callable[[Request], Answer]] = {
            Operation.GET: self._get,
            Operation.HEAD: self._get,
            Operation.PUT: self._put,
            Operation.LIST: self._list,
            Operation.DELETE: self._delete,
            Operation.DELETE_MANY: self._delete_many,
            Operation.CREATE_UPLOAD: self._create_upload,
            Operation.PUT_PART: self._put_part,
            Operation.COMPLETE_UPLOAD: self._complete_upload,
            Operation.ABORT_UPLOAD: self._abort_upload,
        }
        if request.operation not in answers or request.head.header("x-amz-copy-source"):
            return _error(501, "NotImplemented")
        return answers[request.operation](request)

    def _get(self, request: Request) -> Answer:
        body = self.objects.get((request.bucket, request.key))
        if body is None:
            return _error(404, "NoSuchKey")
        wanted = request.head.header("if-match")
        if wanted not in ("", "*", etag_of(body)):
            return _error(412, "PreconditionFailed")
        fields = {"ETag": etag_of(body), "Last-Modified": _MODIFIED, "Accept-Ranges": "bytes"}
        text = request.head.header("range")
        if not text:
            return _answer(200, body, fields)
        first, last = _range(text, len(body))
        if first > last:
            return _error(416, "InvalidRange")
        fields["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        return _answer(206, body[first : last + 1], fields)

    def _put(self, request: Request) -> Answer:
        place = request.bucket, request.key
        if request.head.header("if-none-match") == "*" and place in self.objects:
            return _error(412, "PreconditionFailed")
        self.objects[place] = request.body.content
        return _answer(200, b"", {"ETag": etag_of(request.body.content)})

    def _list(self, request: Request) -> Answer:
        prefix, most = request.query.get("prefix", ""), int(request.query.get("max-keys", 1000))
        after = request.query.get("continuation-token") or request.query.get("start-after", "")
        delimiter = request.query.get("delimiter", "")
        rows: dict[str, str] = {}  # XML by what it is that a next page begins after
        for bucket, key in sorted(self.objects):
            if bucket != request.bucket or not key.startswith(prefix):
                continue
            name, found, _ = key[len(prefix) :].partition(delimiter or "\0")
            folder = prefix + name + delimiter
            is_folder = bool(delimiter and found)
            if (folder if is_folder else key) <= after:
                continue
            rows.setdefault(
                *_row(folder, None) if is_folder else _row(key, self.objects[bucket, key])
            )
        page = list(rows)[:most]
        text = "".join(rows[name] for name in page) + f"<KeyCount>{len(page)}</KeyCount>"
        if len(rows) > most:
            text += f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>"
        text += f"<IsTruncated>{str(len(rows) > most).lower()}</IsTruncated>"
        return _document("ListBucketResult", text)

    def _delete(self, request: Request) -> Answer:
        self.objects.pop((request.bucket, request.key), None)
        return _answer(204, b"", {})

    def _delete_many(self, request: Request) -> Answer:
        for key in request.deleted_keys:
            self.objects.pop((request.bucket, key), None)
        rows = (f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in request.deleted_keys)
        return _document("DeleteResult", "".join(rows))

    def _create_upload(self, request: Request) -> Answer:
        self._begun += 1
        self.uploads[f"upload-{self._begun}"] = {}
        text = f"<UploadId>upload-{self._begun}</UploadId>"
        return _document("InitiateMultipartUploadResult", text)

    def _put_part(self, request: Request) -> Answer:
        parts = self.uploads.get(request.query["uploadId"])
        if parts is None:
            return _error(404, "NoSuchUpload")
        parts[int(request.query["partNumber"])] = request.body.content
        return _answer(200, b"", {"ETag": etag_of(request.body.content)})

    def _complete_upload(self, request: Request) -> Answer:
        parts = self.uploads.pop(request.query["uploadId"], None)
        if parts is None:
            return _error(404, "NoSuchUpload")
        body = b"".join(parts[number] for number in sorted(parts))
        self.objects[request.bucket, request.key] = body
        return _document("CompleteMultipartUploadResult", f"<ETag>{etag_of(body)}</ETag>")

    def _abort_upload(self, request: Request) -> Answer:
        self.uploads.pop(request.query["uploadId"], None)
        return _answer(204, b"", {})


def etag_of(body: bytes) -> str:
    """Of an object that was put at once, in its quotes."""
    return f'"{hashlib.md5(body).hexdigest()}"'  # noqa: S324 # what S3 does


def _row(name: str, body: bytes | None) -> tuple[str, str]:
    if body is None:
        return name, f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"
    fields = f"<Key>{escape(name)}</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified>"
    fields += f"<ETag>{escape(etag_of(body))}</ETag><Size>{len(body)}</Size>"
    return name, f"<Contents>{fields}</Contents>"


def _range(text: str, length: int) -> tuple[int, int]:
    first, _, last = text.removeprefix("bytes=").partition("-")
    if not first:
        return max(length - int(last), 0), length - 1
    return int(first), min(int(last or length), length - 1)


def _answer(status: int, body: bytes, fields: dict[str, str]) -> Answer:
    head = Head(f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}", tuple(fields.items()))
    return Answer(head.as_whole(len(body)), body)


def _document(name: str, text: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?><{name}>{text}</{name}>'.encode()
    return _answer(200, body, {"Content-Type": "application/xml"})


def _error(status: int, code: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
    return _answer(status, body, {"Content-Type": "application/xml"})
