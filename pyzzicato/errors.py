"""What a person is told: errors whose message says what to do next, names in a sentence.

The app shows errors where the cause is, the command line prints them and exits with 1.
Any other exception is a bug and stays loud.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "FEW",
    "InvalidControl",
    "ModelUnavailable",
    "PyzzicatoError",
    "RenderingFailed",
    "SavingFailed",
    "UnknownName",
    "UnreadableMusic",
    "listed",
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


FEW = 5
"""As many names as one reads in a sentence."""


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names joined to "bass, guitar and strings"; of many the first, and how many others."""
    if len(names) > FEW:
        names = [*names[: FEW - 1], f"{len(names) - FEW + 1} others"]
    return f" {last} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
