"""What lies at a source: a bucket, a folder or a manifest, listed and filtered.

Takes a source and the request's filters and returns a `Listing`: pictures, objects that no job can
be given, and counts of what was left out. Knows nothing of shards, recipes or earlier runs.
"""
