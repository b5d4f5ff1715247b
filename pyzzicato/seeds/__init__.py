"""Music to go on from: built-in openings, files, other music."""
