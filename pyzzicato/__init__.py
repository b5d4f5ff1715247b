"""Composer-style piano music, offline, on an ordinary computer.

    import pyzzicato

    piece = pyzzicato.compose(composer="chopin", seconds=60)
    piece.save("out.mid")

Each name is imported when it is first used, so that `import pyzzicato` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyzzicato.composition.order import Composition, compose
    from pyzzicato.errors import PyzzicatoError
    from pyzzicato.music.notes import Note, NoteSequence
    from pyzzicato.registry import load_model, models
    from pyzzicato.seeds.library import all_seeds

    __version__: str

__all__ = [
    "Composition",
    "Note",
    "NoteSequence",
    "PyzzicatoError",
    "all_seeds",
    "compose",
    "load_model",
    "models",
]

_HOMES = {
    "Composition": "composition.order",
    "Note": "music.notes",
    "NoteSequence": "music.notes",
    "PyzzicatoError": "errors",
    "all_seeds": "seeds.library",
    "compose": "composition.order",
    "load_model": "registry",
    "models": "registry",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name not in _HOMES:
        raise AttributeError(f"module 'pyzzicato' has no attribute {name!r}")
    return getattr(import_module(f"pyzzicato.{_HOMES[name]}"), name)


def _version() -> str:
    """The version that is installed, or "unknown" where the package only lies on the path."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("pyzzicato")
    except PackageNotFoundError:
        return "unknown"


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])
