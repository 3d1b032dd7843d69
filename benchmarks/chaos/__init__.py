"""A soak: runs under random faults, kills and second attempts, and what must be true after each.

`python -m benchmarks.chaos --minutes 10 --seed 1` draws one round after the other. In each, a run
is disturbed, then a next one repairs what is left, and one more must find nothing to do. `--round`
does one round of a seed again. Each prints a line of JSON, and the last line sums them up. The exit
code is 1 if anything that must be true was not.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))
