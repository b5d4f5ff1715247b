"""What is loaded to stay is left alone by the garbage collector; what is free goes back."""

from __future__ import annotations

import ctypes
import gc
from functools import cache

__all__ = ["give_back", "settle"]


def settle() -> None:
    """Call it once something has been loaded to stay: it is not looked through for garbage again.

    A full collection looks at every object there is, models and libraries included. What was set
    aside before and has gone since is collected now.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    give_back()


def give_back() -> None:
    """Gives free memory back; does nothing where the C library cannot.

    Loading a model takes two or three times what it keeps, in pieces between which others lie,
    and glibc keeps those for itself. It takes some milliseconds, however much there is.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> ctypes._NamedFuncPointer | None:
    """`malloc_trim` of glibc; None on other systems."""
    try:
        found: ctypes._NamedFuncPointer = ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # another C library; on Windows None is no name
        return None
    return found
