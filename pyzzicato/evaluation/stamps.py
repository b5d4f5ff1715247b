"""Stamps of code: what was made with it is known by them, and made anew where it changed."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

__all__ = ["code_stamp"]

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def code_stamp(*places: str) -> str:
    """The SHA-256 of the code at `places` of the package, such as "metrics", "evaluation/clips".

    Raises FileNotFoundError where one of them is not there.
    """
    total = hashlib.sha256()
    for place in places:
        path = _PACKAGE / place
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        for file in files:
            total.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\n")
            total.update(file.read_bytes())
    return total.hexdigest()
