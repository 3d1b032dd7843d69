"""Whole runs against the scripts that people would write instead: wall and CPU time.

`python -m benchmarks.end_to_end` measures, `scripts/` holds the scripts, as short as people write
them.
"""
