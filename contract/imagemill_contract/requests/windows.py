"""Windows: the spans of time in which uploads are gathered for one run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from imagemill_contract.errors import RequestError
from imagemill_contract.fields import shown

# With this the names of runs over windows begin.
UPLOAD_RUN = "upload-"

_NAME = re.compile(r"(\d{8}T\d{6})Z-(\d{1,5})s")
_FORMAT = "%Y%m%dT%H%M%S"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """The `seconds` that begin at `start`. Windows of one length follow each other without gaps."""

    start: datetime
    seconds: int

    @classmethod
    def at(cls, moment: datetime, seconds: int) -> Self:
        """The window of this length that contains `moment`, which has a time zone."""
        length = timedelta(seconds=seconds)
        return cls(_EPOCH + (moment - _EPOCH) // length * length, seconds)

    @classmethod
    def parse(cls, name: object) -> Self:
        """Read a window's name. Raises RequestError."""
        match = _NAME.fullmatch(name) if isinstance(name, str) else None
        try:
            start = datetime.strptime(match[1], _FORMAT) if match else None  # noqa: DTZ007 # UTC below
        except ValueError:
            start = None
        if match is None or start is None:
            raise RequestError(f"window: {shown(name)} is not the name of a window.")
        return cls(start.replace(tzinfo=UTC), int(match[2]))

    @property
    def name(self) -> str:
        """A name that sorts by time, can name an execution, and identifies the window."""
        return f"{self.start:{_FORMAT}}Z-{self.seconds}s"

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    @property
    def run_id(self) -> str:
        """The name of the one run of this window."""
        return UPLOAD_RUN + self.name

    def next(self) -> Self:
        return type(self)(self.end, self.seconds)
