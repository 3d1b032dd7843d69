"""The shard files of a dataset: WebDataset, TFRecord and Parquet, written and read.

In go samples, out comes one file, and back. `registry.dataset_format` finds a format by its name.
May import nothing but the contract and the format's own library.
"""
