"""What music is: notes in seconds, instruments, composers, limits."""
