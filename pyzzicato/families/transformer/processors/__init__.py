"""What steers the flagship while it writes."""
