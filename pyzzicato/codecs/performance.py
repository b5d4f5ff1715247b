"""Expressive performances as one row per note: when, which key, how long, how loud.

Conventions. Codes are int64 rows (notes, 5):

    time      0-127  since the note before: 10 ms steps to 1 s, then 27 geometric bins to 10 s
    pitch     0-87   key of the piano, 0 is A0
    duration  0-95   96 geometric bins from 20 ms to 10 s
    velocity  0-31   four MIDI velocities each
    fine      0-     10 ms steps inside a time bin wider than 10 ms, 0 elsewhere

A network models the first four; `fine` only keeps onsets exact where silence is long (on the
way back a network's bin is drawn evenly). Notes are ordered by onset (on the 10 ms grid), then
pitch; a key struck twice within one 10 ms step is kept once. The pedal is in the note ends.

The bins are those in which this project's likelihoods are given. Compare the event encoding of
Oore et al. (2018), "This time with feeling": 388 events, three or four a note; here a network
takes one step a note.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.music.notes import LOWEST_KEY, Note, NoteSequence

__all__ = [
    "BINS",
    "DURATION",
    "FINE",
    "PITCH",
    "TIME",
    "VELOCITY",
    "Performance",
    "codes_of",
    "duration_seconds",
    "time_bounds",
]

TIME, PITCH, DURATION, VELOCITY, FINE = range(5)
BINS = (128, 88, 96, 32)
TICKS = 100  # a second
EXACT = 101  # time bins 0..100 are exactly that many ticks
FAR = 27  # geometric bins beyond


def time_bounds() -> np.ndarray:
    """The first tick (10 ms) of each of the 128 time bins, int64."""
    far = np.round(101 * (1000 / 101) ** (np.arange(FAR) / FAR)).astype(np.int64)
    return np.concatenate([np.arange(EXACT), far])


def duration_seconds() -> np.ndarray:
    """The length in seconds that each of the 96 duration bins stands for."""
    seconds: np.ndarray = 0.02 * (10.0 / 0.02) ** (np.arange(96) / 95)
    return seconds


def codes_of(notes: np.ndarray) -> np.ndarray:
    """Codes (n, 5) of `notes` with rows (start s, end s, pitch, velocity).

    The first note's time is counted from 0 seconds.
    """
    if not len(notes):
        return np.zeros((0, 5), np.int64)
    tick = np.rint(notes[:, 0].astype(np.float64) * TICKS).astype(np.int64)
    pitch = notes[:, 2].astype(np.int64) - LOWEST_KEY
    order = np.lexsort((pitch, tick))
    tick, pitch, notes = tick[order], pitch[order], notes[order]
    first = np.ones(len(tick), bool)
    first[1:] = (tick[1:] != tick[:-1]) | (pitch[1:] != pitch[:-1])
    tick, pitch, notes = tick[first], pitch[first], notes[first]
    shift = np.diff(tick, prepend=0)
    bounds = time_bounds()
    time = np.searchsorted(bounds, shift, side="right") - 1
    length = np.maximum(notes[:, 1] - notes[:, 0], 0.02).astype(np.float64)
    duration = np.rint(95 * np.log(length / 0.02) / np.log(10.0 / 0.02))
    velocity = np.clip(notes[:, 3].astype(np.int64) // 4, 0, 31)
    codes = np.empty((len(tick), 5), np.int64)
    codes[:, TIME], codes[:, FINE] = time, shift - bounds[time]
    codes[:, PITCH], codes[:, VELOCITY] = pitch, velocity
    codes[:, DURATION] = np.clip(duration, 0, 95)
    return codes


@dataclass(frozen=True, slots=True)
class Performance:
    """Codec between piano music and rows of codes (notes, 5); the bins are fixed."""

    def encode(self, sequence: NoteSequence) -> np.ndarray:
        return codes_of(note_array(sequence))

    def decode(self, codes: np.ndarray) -> NoteSequence:
        """The music; a key that is struck again ends the note before on the same key."""
        bounds, lengths = time_bounds(), duration_seconds()
        codes = np.asarray(codes, np.int64).reshape(-1, 5)
        tick = np.cumsum(bounds[codes[:, TIME]] + codes[:, FINE])
        struck: dict[int, int] = {}  # the key's last note, as a place in `notes`
        notes: list[Note] = []
        for when, row in zip((tick / TICKS).tolist(), codes.tolist(), strict=True):
            pitch = row[PITCH] + LOWEST_KEY
            if pitch in struck:
                before = notes[struck[pitch]]
                notes[struck[pitch]] = before._replace(end=min(before.end, when))
            struck[pitch] = len(notes)
            velocity = max(1, min(127, row[VELOCITY] * 4 + 2))
            notes.append(Note(when, when + float(lengths[row[DURATION]]), pitch, velocity))
        return NoteSequence(tuple(note for note in notes if note.end > note.start))
