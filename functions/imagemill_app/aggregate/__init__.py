"""From outcome documents to the report, the index and the verdict of a run.

In goes a planned run and what the Map says of its jobs, out come its report, its part of the index
and the files beside a dataset's shards. May import `results` and `stores`; nothing of
`plan`.
"""
