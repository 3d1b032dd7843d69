"""What a dataset of packed samples is: names, numbers, index and card. Documents only, no I/O."""
