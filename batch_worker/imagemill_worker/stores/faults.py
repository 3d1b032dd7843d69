"""Faults: what went wrong with one request, read from what the store's client raised."""

from __future__ import annotations

import errno
import re
from enum import StrEnum

from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)


class FaultKind(StrEnum):
    GONE = "gone"  # there is no such object
    CHANGED = "changed"  # it has another ETag
    NAME = "name"  # the store cannot have an object of this name
    CLASH = "clash"  # in a folder: a file where a folder is needed, or the other way round
    DENIED = "denied"  # no right to read or write it
    REFUSED = "refused"  # the store says no for another reason, and would say so again
    PASSING = "passing"  # an overloaded or broken server, or a network: ask again
    OF_ALL = "of_all"  # credentials, bucket or region: every request ends like this


class StoreFault(Exception):
    """One request failed.

    Attributes:
        kind: What it means.
        code: The store's own word for it, such as `SlowDown`, or the name of a system error.
        detail: One sentence for people.
    """

    def __init__(self, kind: FaultKind, code: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.code = code
        self.detail = detail

    @property
    def is_throttling(self) -> bool:
        """Whether the store asks for fewer requests."""
        return self.code in _THROTTLING


# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_THROTTLING = frozenset({
    "SlowDown", "ServiceUnavailable", "TooManyRequests", "RequestLimitExceeded", "Throttling",
    "ThrottlingException", "429", "503",
})  # fmt: skip
_OF_ALL = frozenset({
    "AllAccessDisabled", "AccountProblem", "AuthorizationHeaderMalformed", "ExpiredToken",
    "InvalidAccessKeyId", "InvalidToken", "NoSuchBucket", "NotSignedUp", "PermanentRedirect",
    "RequestTimeTooSkewed", "SignatureDoesNotMatch", "TokenRefreshRequired",
})  # fmt: skip
_PASSING_STATUSES = frozenset({408, 409, 425, 429, *range(500, 600)})
_PASSING_CODES = frozenset({"RequestTimeout", "OperationAborted", "ConditionalRequestConflict"})
# Errors of network file systems that pass.
_PASSING_ERRNOS = frozenset({errno.EAGAIN, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT})
_CLASHES = frozenset({errno.ENOTDIR, errno.EISDIR, errno.EEXIST})
_NAMES = frozenset({errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL})

_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z0-9_.]{1,80})</Code>")
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


def fault_of(error: Exception) -> StoreFault:
    """The fault behind an error of obstore."""
    text = str(error).partition("\n")[0][:300]
    status, code = _first(_STATUS, str(error)), _first(_CODE, str(error))
    if code in _OF_ALL:
        return StoreFault(FaultKind.OF_ALL, code, f"The store answers {code}.")
    if isinstance(error, FileNotFoundError):
        return StoreFault(FaultKind.GONE, code or "ENOENT", "There is no such object.")
    if isinstance(error, PreconditionError):
        return StoreFault(FaultKind.CHANGED, code or "412", "The object has another ETag.")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return StoreFault(FaultKind.DENIED, code or "AccessDenied", _answer(code, "AccessDenied"))
    number = _first(_OS_ERROR, str(error))
    if number:
        return fault_of_system(OSError(int(number), text))
    if status:
        return http_fault(int(status), code)
    if isinstance(error, BaseError):
        return StoreFault(FaultKind.PASSING, "NoAnswer", f"The store did not answer: {text}")
    return StoreFault(
        FaultKind.NAME, "InvalidName", "The store cannot have an object of this name."
    )


def http_fault(status: int, code: str) -> StoreFault:
    """The fault behind an error answer of S3."""
    if code in _OF_ALL:
        return StoreFault(FaultKind.OF_ALL, code, f"The store answers {code}.")
    known = {404: FaultKind.GONE, 412: FaultKind.CHANGED, 403: FaultKind.DENIED}
    kind = known.get(status, FaultKind.REFUSED)
    if status in _PASSING_STATUSES or code in _PASSING_CODES:
        kind = FaultKind.PASSING
    return StoreFault(kind, code or str(status), _answer(code, str(status)))


def fault_of_system(error: OSError) -> StoreFault:
    """The fault behind an error of the file system."""
    number = error.errno or 0
    name = errno.errorcode.get(number, str(number))
    text = f"{error.strerror or error}."
    if isinstance(error, FileNotFoundError):
        return StoreFault(FaultKind.GONE, name, text)
    if isinstance(error, PermissionError) or number == errno.EROFS:
        return StoreFault(FaultKind.DENIED, name, text)
    if number in _CLASHES:
        return StoreFault(FaultKind.CLASH, name, text)
    if number in _NAMES:
        return StoreFault(FaultKind.NAME, name, f"A folder cannot hold a file of this name: {text}")
    kind = FaultKind.PASSING if number in _PASSING_ERRNOS else FaultKind.REFUSED
    return StoreFault(kind, name, text)


def _answer(code: str, otherwise: str) -> str:
    return f"The store answers {code or otherwise}."


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
