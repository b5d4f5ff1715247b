"""From metrics.json to cards and tables."""
