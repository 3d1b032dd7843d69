"""What the jobs of a run have left: outcomes of each shard, and where its samples lie.

Takes a shard and returns its outcomes. May import `stores` and the contract; it knows nothing of
plans and reports.
"""
