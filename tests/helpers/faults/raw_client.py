"""A client that signs nothing, tries nothing twice and hides nothing of how a connection ends."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPResponse

from tests.helpers.waiting import PATIENCE_SECONDS


class RawClient(HTTPConnection):
    """One connection to an S3, and its only bucket `bucket`; made anew when it was closed."""

    def __init__(self, endpoint_url: str) -> None:
        super().__init__(endpoint_url.removeprefix("http://"), timeout=PATIENCE_SECONDS)

    def ask(self, method: str, key: str, body: bytes | None = None, **headers: str) -> HTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.request(method, f"/bucket/{key}", body, named)
        return self.getresponse()

    def get(self, key: str = "a") -> tuple[int, bytes]:
        """Status and body."""
        answer = self.ask("GET", key)
        return answer.status, answer.read()

    def put(self, key: str, body: bytes, **headers: str) -> int:
        """The status."""
        answer = self.ask("PUT", key, body, **headers)
        answer.read()
        return answer.status
