"""Composer-style piano music, offline, on an ordinary computer."""
