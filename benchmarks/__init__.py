"""One script for each published number. Results are in README.md beside this file."""

import sys
from pathlib import Path

# The worker is not an installed package: it is started from its folder, as in its image.
sys.path[:0] = [str(Path(__file__).parents[1] / room) for room in ("contract", "batch_worker")]
