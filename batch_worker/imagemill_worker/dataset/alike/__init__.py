"""Which pictures are the same, or look alike.

An index in; groups of names out. May import the dataset's `store` and `formats`, and fingerprints.
"""
