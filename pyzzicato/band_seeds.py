"""A seed for a band: music of five instruments on its own beats, from a file or from notes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from pyzzicato.band_parts import band_notes
from pyzzicato.codecs.multitrack_roll import MultitrackRoll, from_midi
from pyzzicato.controls import Controls, declared
from pyzzicato.errors import UnreadableMusic
from pyzzicato.notes import NoteSequence

__all__ = ["BAR", "band_seed", "plays_band"]

BAR = 4  # quarter notes: where a band's part of a piece may begin


def plays_band(controls: type[Controls]) -> bool:
    """Whether a model with such controls plays drums, piano, guitar, bass and strings."""
    return any(item.name == "keep" for item in declared(controls))


def band_seed(music: NoteSequence, data: bytes = b"") -> tuple[NoteSequence, tuple[str, ...]]:
    """`music` as a band takes it, from the first bar on in which it plays, and what is to be said.

    Of a MIDI file `data` are its bytes, `music` its notes: where a tempo that changes, or a pedal,
    moves notes off its beats, they are put on these. What lies there as it was played stays so,
    with its touch. Raises UnreadableMusic where none of the five instruments plays.
    """
    said: tuple[str, ...] = ()
    found = band_notes(music)
    if data.startswith(b"MThd"):
        piece = from_midi(data)
        found = replace(found, qpm=piece.qpm)
        if not np.array_equal(MultitrackRoll().encode(found), piece.codes):
            found = piece.sequence()
        said = piece.dropped
    if not found:
        raise UnreadableMusic(
            "Neither drums, piano, guitar, bass nor strings play in this music: choose other music."
        )
    bar = BAR * 60 / found.qpm
    first = math.floor(min(note.start for note in found) / bar + 1e-6) * bar
    return found.trim(first, found.duration), said
