"""The files beside a dataset's shards: card, README, code to load it, labels and index table.

In goes a whole index, out come the bytes of each file, by its key. May import the rest of
`imagemill_dataset` and the contract, and does no I/O.
"""
