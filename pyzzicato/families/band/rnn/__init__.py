"""A band written step by step."""
