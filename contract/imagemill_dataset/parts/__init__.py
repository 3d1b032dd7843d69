"""The index in its store: parts, and leaves with their rows, read range by range.

Takes a store and returns rows in the order of their keys, or takes such rows and writes a part.
Nothing here holds all rows of an index, or of a part that has leaves.
"""
