"""The Batch job: reads pictures from a store, resizes them or finds edges, and writes results."""
