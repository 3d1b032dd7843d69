"""Packed datasets: shards written, read back, verified, repaired and compacted.

Takes the pictures and edge maps that lanes left in spools, and writes dataset shards at the output,
each of which is read back and checked. May import `stores`, `spool` and `picture`: nothing here
knows a lane or a job.
"""
