"""The five instruments of a band, and music of several instruments taken apart.

Instruments by General MIDI program, as in LPD-5: the drum channel; piano 0-7; guitar 24-31; bass
32-39; strings all else that plays a melody, winds and organs too, 8-23, 40-95 and 104-111. Notes of
other programs (effects) are together in the part "Others", which both renderers play on the piano.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from pyzzicato.music.notes import Note, NoteSequence, cut_overlaps

__all__ = [
    "DRUMS",
    "INSTRUMENTS",
    "OTHERS",
    "PROGRAMS",
    "band_notes",
    "instrument_of",
    "is_band",
    "parts_of",
    "place_of",
    "players",
]

INSTRUMENTS = ("Drums", "Piano", "Guitar", "Bass", "Strings")
PROGRAMS = (0, 0, 25, 33, 48)
"""The General MIDI program that each instrument is written with; drums are on their channel."""

DRUMS = 0  # the place of the drums in INSTRUMENTS
OTHERS = "Others"
_PIANO = "Piano"
_LAST_PROGRAMS = ((7, 1), (23, 4), (31, 2), (39, 3), (95, 4), (103, None), (111, 4))
"""(last program, instrument), by program."""


def place_of(program: int, is_drum: bool) -> int | None:
    """The place in INSTRUMENTS of a General MIDI program, 0-127; None for none of the five."""
    if is_drum:
        return DRUMS
    return next((place for last, place in _LAST_PROGRAMS if program <= last), None)


def instrument_of(note: Note) -> int | None:
    """The place of a note in INSTRUMENTS; None where no instrument of the five plays it."""
    return place_of(note.program, note.is_drum)


def is_band(*music: NoteSequence) -> bool:
    """Whether drums, guitar, bass or strings play in any of `music`."""
    return not {_PIANO, OTHERS}.issuperset(players(*music))


def players(*music: NoteSequence) -> tuple[str, ...]:
    """The names of the parts that play in any of `music`, in the order of INSTRUMENTS."""
    # A piece has few kinds of notes, and many notes.
    kinds = {(note.program, note.is_drum) for sequence in music for note in sequence}
    names = {_part(*kind) for kind in kinds}
    return tuple(name for name in (*INSTRUMENTS, OTHERS) if name in names)


def parts_of(sequence: NoteSequence) -> dict[str, NoteSequence]:
    """The part of each instrument that plays, by its name, in the order of INSTRUMENTS."""
    notes: dict[str, list[Note]] = {name: [] for name in players(sequence)}
    for note in sequence:
        notes[_part(note.program, note.is_drum)].append(note)
    return {name: replace(sequence, notes=tuple(mine)) for name, mine in notes.items()}


@cache
def _part(program: int, is_drum: bool) -> str:
    place = instrument_of(Note(0.0, 1.0, 60, program=program, is_drum=is_drum))
    return OTHERS if place is None else INSTRUMENTS[place]


def band_notes(sequence: NoteSequence) -> NoteSequence:
    """`sequence` as the five play it: each note with its instrument's own program.

    Notes that none of them plays are left out; a key that two of one kind strike sounds once.
    """
    kept = (
        note._replace(program=0 if note.is_drum else PROGRAMS[place])
        for note in sequence
        if (place := instrument_of(note)) is not None
    )
    return replace(sequence, notes=cut_overlaps(kept))
