"""Silence before the first note of a seed, which is left out."""

from __future__ import annotations

import math

from pyzzicato.music.notes import NoteSequence

__all__ = ["without_silence"]


def without_silence(
    music: NoteSequence, bar: float | None = None
) -> tuple[NoteSequence, tuple[str, ...]]:
    """`music` from its first note on, or from the bar (in seconds) of that, and what is to be said.

    A sentence is said from half a second on. Music without notes stays as it is.
    """
    first = min((note.start for note in music), default=0.0)
    if bar is not None:
        first = math.floor(first / bar + 1e-6) * bar
    if first <= 0:
        return music, ()
    said = f"Before its first note {first:.0f} s of silence are left out."
    return music.trim(first, music.duration), (said,) if first >= 0.5 else ()
