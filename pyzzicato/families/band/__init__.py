"""Networks that play in a band of five."""
