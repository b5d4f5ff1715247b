"""Networks that write one note or chord and its length a step."""
