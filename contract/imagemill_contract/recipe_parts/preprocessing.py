"""How pictures become a model's input, and what its output is, as it is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from imagemill_contract.errors import ModelError, RequestError
from imagemill_contract.fields import Name, OneOf, Rule, WholeNumber, read_fields

PlainValue = str | int | float | tuple[float, ...]  # as a recipe holds it, which can be hashed


class Layout(StrEnum):
    NCHW = "nchw"  # batch, channels, rows, columns
    NHWC = "nhwc"


class Channels(StrEnum):
    RGB = "rgb"
    BGR = "bgr"
    GREY = "grey"


class Range(StrEnum):
    UNIT = "unit"  # 0 to 1
    BYTE = "byte"  # 0 to 255


@dataclass(frozen=True, slots=True)
class _PerChannel:
    """One number, or one for each of three channels."""

    above_zero: bool = False
    allowed = "a list of 1 or 3 numbers"

    def read(self, value: object) -> tuple[float, ...]:
        if not isinstance(value, list | tuple) or len(value) not in (1, 3):
            raise ValueError(value)
        for number in value:
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise ValueError(value)
            if self.above_zero and number <= 0:
                raise ValueError(value)
        return tuple(map(float, value))


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From 8-bit pixels to a model's input: (pixels in `range` - `mean`) / `std`.

    Attributes:
        width: Pixels; 0 for what the model's input shape says.
        height: Pixels; 0 for what the model's input shape says.
        layout: None for what the model's input shape says.
        channels: Which, in which order.
        range: Of the pixels before `mean` and `std`, given in the same order as the channels.
        output_range: Of the pixels that a model for pictures gives.
        output: Name of the model's output; empty for its first.
    """

    width: int = 0
    height: int = 0
    layout: Layout | None = None
    channels: Channels = Channels.RGB
    range: Range = Range.UNIT
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    output_range: Range = Range.UNIT
    output: str = ""

    @classmethod
    def from_document(
        cls, document: object, where: str, error: type[RequestError] = ModelError
    ) -> Preprocessing:
        """Raises `error` with one sentence that names the field and what is allowed."""
        values = read_fields(document, _RULES, where, error)
        found = cls(**values)  # type: ignore[arg-type] # every value was read by its own rule
        for name in ("mean", "std"):
            if found.channels is Channels.GREY and len(getattr(found, name)) > 1:
                raise error(f"{where}.{name}: one number is enough for channels grey.")
        return found


class _OutputName(Name):
    allowed = "the name of an output of the model"

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(value)
        return value


_RULES: Mapping[str, Rule] = {
    "width": WholeNumber(1, 16_384),
    "height": WholeNumber(1, 16_384),
    "layout": OneOf(Layout),
    "channels": OneOf(Channels),
    "range": OneOf(Range),
    "mean": _PerChannel(),
    "std": _PerChannel(above_zero=True),
    "output_range": OneOf(Range),
    "output": _OutputName(),
}
assert set(_RULES) == {item.name for item in fields(Preprocessing)}  # noqa: S101 # kept together


_EXAMPLE = '{"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}'


class PreprocessingFields:
    """Some fields of `Preprocessing`, sorted by name; `check_together` reads them."""

    allowed = f"an object of the fields that docs/models.md lists, such as {_EXAMPLE}"

    def read(self, value: object) -> tuple[tuple[str, PlainValue], ...]:
        if not isinstance(value, Mapping):
            raise ValueError(value)
        return tuple(sorted((str(name), _plain(it)) for name, it in value.items()))


def _plain(value: object) -> PlainValue:
    if isinstance(value, list | tuple):
        return tuple(map(float, value))
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    raise ValueError(value)
