"""The shard files of a dataset: WebDataset, TFRecord and Parquet, written and read."""
