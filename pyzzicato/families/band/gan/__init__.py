"""A band by a GAN."""
