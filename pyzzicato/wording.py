"""Names in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["FEW", "listed"]

FEW = 5
"""As many names as one reads in a sentence."""


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names joined to "bass, guitar and strings"; of many the first, and how many others."""
    if len(names) > FEW:
        names = [*names[: FEW - 1], f"{len(names) - FEW + 1} others"]
    return f" {last} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
