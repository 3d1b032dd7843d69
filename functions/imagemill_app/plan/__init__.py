"""From a request to a plan: what there is, what is still to be done, and how it is cut into jobs.

Takes a `RunRequest`, writes shard documents and, last, the plan that the Map reads. May import
`ingest` (a window's uploads), `results`, labels and `stores`; nothing of `aggregate`.
"""
