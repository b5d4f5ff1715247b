"""A folder of training music as pieces by split."""
