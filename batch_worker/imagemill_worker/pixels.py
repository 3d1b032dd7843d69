"""The two forms in which the worker's modules pass a picture on: file and pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # numpy is a fifth of a second that a lane spends while objects are on their way
    import numpy as np
    from numpy.typing import NDArray

# uint8, 0 to 255; (H, W) grey or (H, W, 3) red, green, blue in sRGB
Pixels: TypeAlias = "NDArray[np.uint8]"

# A whole file. A view into the store client's memory where there is one: a copy would cost a
# hundredth of the time that is spent on a picture.
FileBytes: TypeAlias = bytes | memoryview

# Left, top, width and height of a picture within its padding, in pixels
Area: TypeAlias = tuple[int, int, int, int]
