"""Which earlier events say nearly the same: the index, and the stream that feeds it."""
