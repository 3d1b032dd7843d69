"""What lies at a source: a bucket, a folder or a manifest, listed and filtered.

In goes a source and the request's filters, out comes a `Listing`: pictures, objects that no job can
be given, and counts of what was left out. Knows nothing of shards, recipes or earlier runs.
"""
