"""Networks that draw the piano roll, 20 steps a second."""
