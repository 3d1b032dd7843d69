"""What the jobs of a run have left: outcomes of each shard, and where its samples lie.

In goes a shard, out come its rows as Python has them. May import `stores` and the contract; it
knows nothing of plans and reports.
"""
