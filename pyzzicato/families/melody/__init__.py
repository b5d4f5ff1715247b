"""Networks that write melodies."""
