"""From outcome documents to the report, the index and the verdict of a run.

Takes a planned run and the Map's results; writes the run's report, its part of the index, and the
files beside a dataset's shards. May import `results`, `tally` and `stores`; nothing of `plan`.
"""
