"""Where things lie: the app and the models, and what belongs to a person, outside the project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["cache_folder", "data_folder", "project_folder"]


def project_folder() -> Path:
    """What holds app.py, pages/ and models/: in a wheel a part of the package, else around it."""
    package = Path(__file__).resolve().parent
    carried = package / "project"
    return carried if carried.is_dir() else package.parent


def cache_folder() -> Path:
    """What can be made again: `PYZZICATO_CACHE`, or the system's place for such things."""
    return _folder("PYZZICATO_CACHE", "XDG_CACHE_HOME", "Caches", ".cache")


def data_folder() -> Path:
    """What a person made: `PYZZICATO_DATA`, or the system's place for such things."""
    return _folder("PYZZICATO_DATA", "XDG_DATA_HOME", "Application Support", ".local/share")


def _folder(own: str, free: str, mac: str, unix: str) -> Path:
    """By the variable `own`, else pyzzicato/ in that of `free` or in the usual place."""
    named = os.environ.get(own)
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = os.environ.get(free) or Path.home() / "Library" / mac
    else:
        base = os.environ.get(free) or Path.home() / unix
    return Path(base) / "pyzzicato"
