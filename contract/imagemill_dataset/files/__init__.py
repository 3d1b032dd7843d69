"""The files beside a dataset's shards: card, README, code to load it, labels and index table.

Takes a whole index and returns the bytes of each file, by its key. May import the rest of
`imagemill_dataset` and the contract, and does no I/O.
"""
