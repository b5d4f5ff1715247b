"""The flagship: a Transformer that writes one note a step."""
