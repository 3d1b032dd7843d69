"""`python -m imagemill_worker`."""

from __future__ import annotations

import gc

# New objects between two collections. Modules and rows of documents are many, and none is garbage:
# to look for it takes a tenth of the CPU time of starting and ending.
gc.set_threshold(50_000)

from imagemill_worker.cli import main  # noqa: E402 # after the line above

code = main()
gc.freeze()
raise SystemExit(code)
