"""Times and durations, as a person reads them."""

from __future__ import annotations

from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86_400


def duration(seconds: float) -> str:
    """`8 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: the two largest units."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def moment(time: datetime) -> str:
    """The local time, to the minute."""
    return f"{time.astimezone():%Y-%m-%d %H:%M}"


def exact(time: datetime | None) -> str | None:
    """The time for programs, in UTC as ISO 8601 has it."""
    return time.isoformat().replace("+00:00", "Z") if time else None
