"""Writes and reads the shard files of a dataset: WebDataset, TFRecord and Parquet.

Turns samples into one file, and back. `registry.dataset_format` finds a format by its name.
May import nothing but the contract and the format's own library.
"""
