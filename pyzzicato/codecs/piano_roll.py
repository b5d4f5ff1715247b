"""The piano roll: 20 steps a second, 88 keys, three planes.

Conventions. A roll is a float32 array of shape (steps, 3, 88). Plane `SOUNDING` is 1 while a
key sounds, plane `ONSET` is 1 in the step in which it is struck, plane `VELOCITY` holds
velocity / 127 in that step and 0 elsewhere. Key 0 is A0 (pitch 21). A struck key that is
already sounding starts a new note, which a plain binary roll would lose.

Source: Pyzzicato (2021), section "Data": 20 Hz, 88 keys. Differs from the source in: the onset
and velocity planes are ours (the source does not say whether its roll holds velocities).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence

__all__ = [
    "KEYS",
    "ONSET",
    "SOUNDING",
    "VELOCITY",
    "PianoRoll",
    "RollReader",
    "draw_roll",
    "note_array",
]

KEYS = HIGHEST_KEY - LOWEST_KEY + 1  # 88
SOUNDING, ONSET, VELOCITY = 0, 1, 2


def draw_roll(notes: np.ndarray, first: float, steps: int, steps_per_second: float) -> np.ndarray:
    """The roll of `steps` steps from `first` seconds on.

    `notes` has rows (start s, end s, pitch, velocity). Notes that began before `first` sound on
    but have no onset; notes off the piano are left out. Returns (steps, 3, 88) float32.
    """
    roll = np.zeros((steps, 3, KEYS), np.float32)
    if len(notes) == 0:
        return roll
    start = np.rint((notes[:, 0] - first) * steps_per_second).astype(np.int64)
    end = np.maximum(start + 1, np.rint((notes[:, 1] - first) * steps_per_second).astype(np.int64))
    key = notes[:, 2].astype(np.int64) - LOWEST_KEY
    inside = (key >= 0) & (key < KEYS) & (start < steps) & (end > 0)
    start, end, key, velocity = start[inside], end[inside], key[inside], notes[inside, 3]
    change = np.zeros((steps + 1, KEYS), np.int32)
    np.add.at(change, (np.maximum(start, 0), key), 1)
    np.add.at(change, (np.minimum(end, steps), key), -1)
    roll[:, SOUNDING] = np.cumsum(change[:-1], axis=0) > 0
    begun = start >= 0
    roll[start[begun], ONSET, key[begun]] = 1.0
    roll[start[begun], VELOCITY, key[begun]] = velocity[begun] / 127.0
    return roll


class RollReader:
    """Reads a roll step by step and gives each note when it ends.

    `push` takes one step's sounding and onset rows (88,) of bool and velocities (88,) of 0-1;
    `close` ends what still sounds.
    """

    def __init__(self, steps_per_second: float) -> None:
        self.steps_per_second = steps_per_second
        self.step = 0
        self._open: dict[int, tuple[int, int]] = {}  # key -> (step struck, velocity)

    def push(self, sounding: np.ndarray, onset: np.ndarray, velocity: np.ndarray) -> list[Note]:
        """The notes that ended at the beginning of this step."""
        ended = [key for key in self._open if onset[key] or not sounding[key]]
        notes = [self._end(key) for key in ended]
        for key in np.flatnonzero(onset):
            loudness = int(np.clip(round(float(velocity[key]) * 127), 1, 127))
            self._open[int(key)] = (self.step, loudness)
        self.step += 1
        return notes

    def held(self) -> np.ndarray:
        """How many steps each key has been down, (88,) of int; 0 where it is up."""
        steps = np.zeros(KEYS, np.int64)
        for key, (struck, _) in self._open.items():
            steps[key] = self.step - struck
        return steps

    def close(self) -> list[Note]:
        """The notes that still sound, ended now."""
        return [self._end(key) for key in list(self._open)]

    def _end(self, key: int) -> Note:
        struck, velocity = self._open.pop(key)
        start, end = struck / self.steps_per_second, self.step / self.steps_per_second
        return Note(start, end, key + LOWEST_KEY, velocity)


@dataclass(frozen=True, slots=True)
class PianoRoll:
    """Codec between music and rolls of shape (steps, 3, 88).

    `decode(encode(m))` keeps every note of a piano piece on the grid (starts and ends within half
    a step) except where one key is struck twice within one step. Drums and notes off the piano
    are left out.
    """

    steps_per_second: float = 20.0

    def encode(self, sequence: NoteSequence) -> np.ndarray:
        notes = note_array(sequence)
        ends = np.rint(notes[:, 1] * self.steps_per_second)
        starts = np.rint(notes[:, 0] * self.steps_per_second)
        steps = int(max(ends.max(), starts.max() + 1)) if len(notes) else 0
        return draw_roll(notes, 0.0, steps, self.steps_per_second)

    def decode(self, codes: np.ndarray) -> NoteSequence:
        reader = RollReader(self.steps_per_second)
        notes: list[Note] = []
        for step in np.asarray(codes):
            notes += reader.push(step[SOUNDING] > 0.5, step[ONSET] > 0.5, step[VELOCITY])
        return NoteSequence((*notes, *reader.close()))


def note_array(sequence: NoteSequence) -> np.ndarray:
    """The piano notes of a sequence as rows (start s, end s, pitch, velocity), (n, 4) float64."""
    rows = [
        (n.start, n.end, n.pitch, n.velocity)
        for n in sequence
        if not n.is_drum and LOWEST_KEY <= n.pitch <= HIGHEST_KEY
    ]
    return np.array(rows, np.float64).reshape(-1, 4)
