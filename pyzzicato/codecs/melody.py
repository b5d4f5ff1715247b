"""Melodies as one event a step, four steps a quarter note: one note at a time, or silence.

Conventions. Events are int64, (steps,):

    -2      nothing new: the note, or the silence, goes on
    -1      the note ends and silence begins
    0-127   this pitch begins

Of polyphonic music the melody line is taken. At each step the highest of the notes that begin
there may belong to it; one that begins while a higher note of the line still sounds, and is at
most two quarter notes old, is accompaniment. Where several notes sound at once, what lies more
than an octave below the middle pitch of the line is accompaniment that shows through its rests,
and is left out. Every note of the line lasts until the next one begins, or until it ends.

Source: the events are those of Magenta's MelodyRNN (Waite, 2016). Differs from the source in:
its melodies take the highest of the notes that begin together, and any note that begins later
ends the one before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pyzzicato.music.notes import Note, NoteSequence

__all__ = [
    "HIGHEST",
    "LOWEST",
    "NOTE_OFF",
    "NO_EVENT",
    "STEPS_PER_BAR",
    "STEPS_PER_QUARTER",
    "MelodyCodec",
    "fold",
    "into_range",
    "several_at_once",
    "steps_per_second",
]

NO_EVENT, NOTE_OFF = -2, -1
STEPS_PER_QUARTER = 4
STEPS_PER_BAR = 16  # of 4/4
LOWEST, HIGHEST = 48, 83  # C3 to B5
OLD = 8  # steps after which a held note no longer keeps lower ones out of the line
FAR_BELOW = 12  # semitones
OCTAVES = (0, -12, 12, -24, 24)  # the nearest first


class _Struck(NamedTuple):
    start: int  # steps
    end: int
    pitch: int


def steps_per_second(qpm: float) -> float:
    """Steps a second at a tempo of `qpm` quarter notes a minute."""
    return qpm * STEPS_PER_QUARTER / 60


@dataclass(frozen=True, slots=True)
class MelodyCodec:
    """Melody events at a tempo: `qpm` quarter notes a minute, decoded notes of one velocity."""

    qpm: float = 120.0
    velocity: int = 80

    def encode(self, sequence: NoteSequence) -> np.ndarray:
        """The melody line of `sequence` as events from 0 seconds to its end; drums are left out.

        Any pitch of 0-127 is kept; empty where there is no pitched note.
        """
        rate = steps_per_second(self.qpm)
        struck = [
            _Struck(start, max(start + 1, round(note.end * rate)), note.pitch)
            for note in sequence
            if not note.is_drum
            for start in (round(note.start * rate),)
        ]
        line = _line(struck)
        events = np.full(max((note.end for note in struck), default=0), NO_EVENT, np.int64)
        for number, note in enumerate(line):
            events[note.start] = note.pitch
            border = line[number + 1].start if number + 1 < len(line) else len(events)
            if note.end < border:
                events[note.end] = NOTE_OFF
        return events

    def decode(self, codes: np.ndarray) -> NoteSequence:
        """Events as notes from 0 seconds on; a note that is not ended lasts to the last step."""
        step = 1 / steps_per_second(self.qpm)
        notes: list[Note] = []
        start, pitch = 0, -1
        for place, event in enumerate([*np.asarray(codes).tolist(), NOTE_OFF]):
            if event == NO_EVENT:
                continue
            if pitch >= 0:
                notes.append(Note(start * step, place * step, pitch, self.velocity))
            start, pitch = place, event
        return NoteSequence(tuple(notes), qpm=self.qpm)


def several_at_once(sequence: NoteSequence) -> bool:
    """Whether pitched notes sound together, so that taking the melody line leaves some out."""
    return _overlapping([_Struck(*_steps_of(note), note.pitch) for note in sequence if _tone(note)])


def into_range(events: np.ndarray) -> tuple[np.ndarray, int]:
    """`events` moved by whole octaves so that most notes lie within C3 to B5; (events, semitones).

    What still lies outside is folded in by octaves, note by note. Moving what is written by
    minus `semitones` brings it back to where the melody was.
    """
    pitches = events[events >= 0]
    inside = {
        octaves: int(((pitches + octaves >= LOWEST) & (pitches + octaves <= HIGHEST)).sum())
        for octaves in OCTAVES
    }
    moved = max(OCTAVES, key=lambda octaves: inside[octaves])  # at a tie the nearest
    return np.where(events >= 0, fold(events + moved), events), moved


def fold(pitches: np.ndarray) -> np.ndarray:
    """Every pitch moved by as few octaves as bring it within C3 to B5."""
    below = -(-np.maximum(LOWEST - pitches, 0) // 12)
    above = -(-np.maximum(pitches - HIGHEST, 0) // 12)
    folded: np.ndarray = pitches + 12 * (below - above)
    return folded


def _tone(note: Note) -> bool:
    return not note.is_drum


def _steps_of(note: Note) -> tuple[int, int]:
    """Start and end in tenths of a second: a legato touch is no second voice."""
    return round(note.start * 10), round(note.end * 10)


def _overlapping(notes: Iterable[_Struck]) -> bool:
    until = 0
    for note in sorted(notes):
        if note.start < until:
            return True
        until = max(until, note.end)
    return False


def _line(struck: list[_Struck]) -> list[_Struck]:
    """The notes of the melody line, none two at one step, in order."""
    line: list[_Struck] = []
    for note in sorted(struck, key=lambda note: (note.start, -note.pitch)):
        before = line[-1] if line else None
        if before is not None:
            if note.start == before.start:
                continue
            covered = note.pitch < before.pitch and note.start < before.end
            if covered and note.start - before.start < OLD:
                continue
        line.append(note)
    if line and _overlapping(struck):
        middle = float(np.median([note.pitch for note in line]))
        line = [note for note in line if note.pitch >= middle - FAR_BELOW]
    return line
