"""A band by latents, with styles to mix."""
