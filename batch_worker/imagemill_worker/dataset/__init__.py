"""Packed datasets: shards written, read back, verified, repaired and compacted.

In go the pictures and edge maps that lanes left in spools, out come dataset shards at the output,
each proved by reading it back. May import `stores`, `spool` and `picture`: nothing here knows a
lane or a job.
"""
