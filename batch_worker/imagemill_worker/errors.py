"""The worker's errors: of a picture, of the job, or of this attempt."""

from __future__ import annotations

from imagemill_contract.outcomes import Reason, Status


class PictureError(Exception):
    """This object gets no output, and another attempt would not change that.

    Attributes:
        status: Rejected, or failed if the object may be good.
        reason: One of the closed list.
        detail: One sentence for people.
    """

    def __init__(self, reason: Reason, detail: str, status: Status = Status.REJECTED) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail


class ArgumentsError(Exception):
    """The arguments or the documents of the job are missing or wrong."""


class TryAgainError(Exception):
    """The attempt failed for a reason outside the job: a later attempt may succeed."""


class StoreRefusedError(Exception):
    """The store denies the job what it must read or write; a later attempt would not help."""


class LaneBugError(Exception):
    """A lane raised an unexpected error. The message is its traceback."""


class AloneError(Exception):
    """This picture needs so much memory that it must be done alone."""
