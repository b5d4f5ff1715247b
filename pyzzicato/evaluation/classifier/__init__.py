"""Who might have composed this: a small network of our own."""
