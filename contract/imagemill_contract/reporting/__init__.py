"""What a run has used and what became of it: usage, prices, the report, and the list of runs.

JSON of a run's documents in, checked values out, and back. May import the contract's own modules.
"""
