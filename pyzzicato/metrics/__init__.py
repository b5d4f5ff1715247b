"""What can be counted in music: pure functions."""
