"""Several takes as one piece: all at once, each on an instrument of its own.

Source: Steffanutto played the ten melodies of one run together; they differ, and fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pyzzicato.music.notes import NoteSequence

__all__ = ["PROGRAMS", "can_be_layered", "layered"]

_LEGATO = 0.06  # seconds by which one note of a line may go on into the next
PROGRAMS = (0, 48, 73, 11, 40, 24, 60, 42, 71, 46, 68, 12, 56, 32, 6)
"""General MIDI programs, one a take: piano, strings, flute, vibraphone, violin, guitar, horn,
cello, clarinet, harp, oboe, marimba, trumpet, double bass, harpsichord."""


def can_be_layered(takes: Sequence[NoteSequence]) -> bool:
    """Whether takes can be told apart together: each is one line, a note at a time, no drums."""
    lines = (sorted(take) for take in takes)
    return all(
        not before.is_drum and not after.is_drum and before.end <= after.start + _LEGATO
        for line in lines
        for before, after in pairwise(line)
    )


def layered(takes: Sequence[NoteSequence], programs: Sequence[int] = PROGRAMS) -> NoteSequence:
    """All of `takes` from 0 seconds on, the tempo that of the first.

    Take k is played on `programs[k]`, so that `formats.midi.write_midi` gives it a track of its
    own; drums stay drums. Raises ValueError for more takes than programs, of which there are 15
    unless others are given (a MIDI file has no more channels).
    """
    if len(takes) > len(programs):
        raise ValueError(f"at most {len(programs)} takes can be layered, not {len(takes)}")
    if len(set(programs)) != len(programs):
        raise ValueError("every take needs a program of its own")
    notes = (
        note if note.is_drum else note._replace(program=program)
        for take, program in zip(takes, programs, strict=False)
        for note in take
    )
    return NoteSequence(tuple(notes), qpm=takes[0].qpm if takes else 120.0)
