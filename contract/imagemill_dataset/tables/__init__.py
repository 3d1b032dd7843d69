"""The index by ranges of keys in; the files of the table of all pictures out.

A file is made from the rows of its range, or of a draft that a run has made of its own rows.
"""
