"""Errors that are meant for the person: each message says what to do next.

The app shows them where the cause is, the command line prints them and exits with 1.
Any other exception is a bug and stays loud.
"""

from __future__ import annotations

__all__ = [
    "InvalidControl",
    "ModelUnavailable",
    "PyzzicatoError",
    "RenderingFailed",
    "SavingFailed",
    "UnknownName",
    "UnreadableMusic",
]


class PyzzicatoError(Exception):
    """Something the person can mend; the message is one plain sentence that says how."""


class UnreadableMusic(PyzzicatoError):
    """A music file that cannot be read, is too large, or holds nothing to play."""


class InvalidControl(PyzzicatoError):
    """A control outside its range."""


class UnknownName(PyzzicatoError):
    """A model, composer, seed or format that does not exist."""


class ModelUnavailable(PyzzicatoError):
    """A model whose files are missing or damaged."""


class RenderingFailed(PyzzicatoError):
    """Sound could not be made."""


class SavingFailed(PyzzicatoError):
    """A file could not be written."""
