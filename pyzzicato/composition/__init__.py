"""From wishes to finished music, for the app, the command line and Python alike."""
