"""How much music a file may ask for: the same limits for uploads, the command line and Python.

They are checked before any work that grows with what a file *says*, so a small file cannot
ask for much memory or time.
"""

from __future__ import annotations

from pyzzicato.errors import UnreadableMusic
from pyzzicato.music.notes import NoteSequence

__all__ = [
    "MAX_BYTES",
    "MAX_NOTES",
    "MAX_SECONDS",
    "MAX_TRACKS",
    "check_music",
    "check_size",
    "too_long",
    "too_many_notes",
]

MAX_BYTES = 1_000_000
MAX_TRACKS = 64
MAX_NOTES = 50_000
MAX_SECONDS = 30 * 60.0


def check_size(size: int) -> None:
    """Raise UnreadableMusic where a file of `size` bytes is empty or above 1 MB."""
    if size == 0:
        raise UnreadableMusic("This file is empty: choose a MIDI or ABC file that holds music.")
    if size > MAX_BYTES:
        raise UnreadableMusic("This file is larger than 1 MB: choose a shorter piece.")


def check_music(sequence: NoteSequence) -> NoteSequence:
    """`sequence` itself; raises UnreadableMusic without notes, above 50,000 or 30 minutes."""
    if not sequence.notes:
        raise UnreadableMusic("There are no notes in this file: choose one that holds music.")
    if len(sequence) > MAX_NOTES:
        raise too_many_notes()
    if sequence.duration > MAX_SECONDS:
        raise too_long()
    return sequence


def too_many_notes() -> UnreadableMusic:
    """The error for more than 50,000 notes."""
    return UnreadableMusic("This file has more than 50,000 notes: choose a shorter piece.")


def too_long() -> UnreadableMusic:
    """The error for more than 30 minutes."""
    return UnreadableMusic("This file is longer than 30 minutes: choose a shorter piece.")
