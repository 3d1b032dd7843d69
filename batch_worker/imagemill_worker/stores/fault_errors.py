"""Maps faults of a store to the worker's errors: of the object, of the attempt or of the job."""

from __future__ import annotations

from imagemill_contract.outcomes import Reason, Status
from imagemill_worker.errors import PictureError, StoreRefusedError, TryAgainError
from imagemill_worker.stores.evidence import Evidence
from imagemill_worker.stores.faults import FaultKind, StoreFault

_DISK_FULL = frozenset({"ENOSPC", "EDQUOT"})


def read_error(fault: StoreFault, key: str, evidence: Evidence) -> Exception:
    """The error for a fault that ended the reading of one object."""
    match fault.kind:
        case FaultKind.GONE:
            return PictureError(Reason.GONE, "The object was deleted after it was planned.")
        case FaultKind.CHANGED:
            detail = "The object was overwritten after it was planned."
            return PictureError(Reason.CHANGED, detail)
        case FaultKind.NAME:
            return PictureError(Reason.UNREADABLE_KEY, f"The key {key!r} cannot be read.")
        case FaultKind.DENIED:
            detail = f"The job may not read this object: {fault.detail}"
            return PictureError(Reason.ACCESS_DENIED, detail, Status.FAILED)
    return _error_of_one(fault, f"Reading {key!r}", key, evidence)


def write_error(fault: StoreFault, key: str, evidence: Evidence) -> Exception:
    """The error for a fault that ended the writing of one result."""
    match fault.kind:
        case FaultKind.NAME:
            return PictureError(Reason.UNREADABLE_KEY, fault.detail)
        case FaultKind.CLASH:
            detail = f"Where {key!r} would be, another result has a folder, or a file."
            return PictureError(Reason.KEY_COLLISION, detail)
        case FaultKind.DENIED:
            detail = f"The job may not write {key!r}: {fault.detail}"
            if evidence.has_success or not evidence.refuses_all(key):
                return PictureError(Reason.ACCESS_DENIED, detail, Status.FAILED)
            return StoreRefusedError(detail)
    if fault.code in _DISK_FULL:
        return job_error(fault, "write", key)
    return _error_of_one(fault, f"Writing {key!r}", key, evidence)


def job_error(fault: StoreFault, what: str, key: str) -> Exception:
    """The error for a fault with an object that the job cannot do without."""
    if fault.kind is FaultKind.DENIED:
        return StoreRefusedError(f"The job may not {what} {key!r}: {fault.detail}")
    if fault.code in _DISK_FULL:
        return TryAgainError(f"No space left on the disk: {key!r} cannot be written.")
    return TryAgainError(f"Could not {what} {key!r}: {fault.detail}")


def _error_of_one(fault: StoreFault, doing: str, key: str, evidence: Evidence) -> Exception:
    """The error of one object, unless the store refuses one object after the other."""
    refuses_all = fault.kind is FaultKind.REFUSED and evidence.refuses_all(key)
    if refuses_all or fault.kind is FaultKind.OF_ALL:
        return TryAgainError(f"{doing}: {fault.detail}")
    return PictureError(Reason.STORE_ERROR, f"{doing}: {fault.detail}", Status.FAILED)
