"""Groups of reasons, by what they say about a picture and about its earlier results."""

from __future__ import annotations

from imagemill_contract.outcomes import Reason

# Failures of an attempt. They say nothing about the picture, so an earlier sample of it stays.
GIVEN_UP = frozenset(
    {
        *(Reason.JOB_FAILED, Reason.ACCESS_DENIED, Reason.STORE_ERROR, Reason.DAMAGED),
        Reason.OVERWRITTEN,
    }
)

# The object was not read and nothing was written, so every earlier result of it stays.
UNTOUCHED = frozenset({Reason.GONE, Reason.CHANGED})

# It was never given to a job: the plan found that it lacks something, or is there twice.
NEVER_GIVEN = frozenset({Reason.NO_LABEL, Reason.NO_ROW, Reason.BAD_ROW, Reason.DUPLICATE})

# Rejections that may pass: another attempt may end differently.
PASSING = frozenset({*UNTOUCHED, Reason.DECODER_TIMEOUT, Reason.DECODER_CRASHED})
