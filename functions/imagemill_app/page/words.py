"""Numbers as people read them."""

from __future__ import annotations

from datetime import datetime

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def count(number: float) -> str:
    return f"{number:,.0f}"


def counted(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def size(length_bytes: float) -> str:
    """Bytes in the decimal unit that fits."""
    for unit in _UNITS:
        if length_bytes < 1000 or unit == _UNITS[-1]:
            break
        length_bytes /= 1000
    digits = 0 if unit == "B" or length_bytes >= 100 else 1
    return f"{length_bytes:.{digits}f} {unit}"


def binary_size(length_bytes: int) -> str:
    """A power of two bytes, as a border between bins."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if length_bytes < 1024:
            return f"{length_bytes} {unit}"
        length_bytes //= 1024
    return f"{length_bytes} PiB"


def span(seconds: float) -> str:
    """A time that something took."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 120:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def dollars(amount: float) -> str:
    """Money with at least two digits that say something."""
    if amount >= 0.995 or amount == 0:
        return f"${amount:,.2f}"
    if amount >= 0.01:
        return f"${amount:.3f}"
    return f"${amount:.6f}"


def percent(ratio: float | None) -> str:
    return "unknown" if ratio is None else f"{100 * ratio:.0f} %"


def moment(text: str) -> str:
    """A time of ISO 8601, in UTC to the second."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S UTC")


def readable(text: object) -> str:
    """Any text as valid Unicode: keys of folders may hold bytes that are none."""
    return str(text).encode("utf-8", "backslashreplace").decode()
