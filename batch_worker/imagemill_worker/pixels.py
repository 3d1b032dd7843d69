"""The one form in which pixels travel between the worker's modules."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# uint8, 0 to 255; (H, W) grey or (H, W, 3) red, green, blue in sRGB
Pixels = NDArray[np.uint8]
