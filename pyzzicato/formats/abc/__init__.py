"""ABC notation, read and written."""
