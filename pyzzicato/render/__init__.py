"""Music to sound, pictures and files to keep."""
