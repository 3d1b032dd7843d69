"""What can go wrong: with a picture, with its object, with the job, or with the attempt."""

from __future__ import annotations

from imagemill_contract.outcomes import Reason, Status


class PictureError(Exception):
    """This object gets no output, for a reason that another attempt would find again.

    Attributes:
        status: Rejected, or failed where the object may be good.
        reason: Which of the closed list.
        detail: One sentence for the person.
    """

    def __init__(self, reason: Reason, detail: str, status: Status = Status.REJECTED) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail


class ArgumentsError(Exception):
    """The job was given arguments or documents that it cannot work with."""


class TryAgainError(Exception):
    """The attempt failed for a reason that lies outside the job: a later one may succeed."""


class StoreRefusedError(Exception):
    """A store does not let the job read or write what it must; a later attempt changes nothing."""


class AloneError(Exception):
    """This picture needs so much memory that it must be done when no other is."""
