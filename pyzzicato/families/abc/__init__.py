"""Networks that write ABC text."""
