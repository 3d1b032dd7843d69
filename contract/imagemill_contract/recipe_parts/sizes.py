"""Several sizes of each picture, made from pixels that are decoded once."""

from __future__ import annotations

from imagemill_contract.fields import WholeNumber

MOST_SIZES = 8
SIDE = WholeNumber(1, 16_384)


class Sizes(tuple[int, ...]):
    """Sides in pixels, the smallest first; empty if there is one size alone."""

    __slots__ = ()


class SizeList:
    allowed = (
        f"a list of 1 to {MOST_SIZES} different whole numbers from {SIDE.least} to {SIDE.most}, "
        "such as [64, 128, 512]"
    )

    def read(self, value: object) -> Sizes:
        if value == []:  # as a document has it that leaves the field out
            return Sizes()
        if not isinstance(value, list) or len(value) > MOST_SIZES:
            raise ValueError(value)
        sizes = Sizes(sorted(map(SIDE.read, value)))
        if len(set(sizes)) < len(sizes):
            raise ValueError(value)
        return sizes
