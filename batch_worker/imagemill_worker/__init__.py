"""The Batch job: reads pictures from a store, resizes them or finds their edges, writes them back."""
