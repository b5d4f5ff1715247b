"""A band by convolutions, two bars at a time."""
