"""What the AttentionRNN reads and says of a melody, step by step: 74 numbers in, 40 classes out.

Read after each step (Magenta's KeyMelodyEncoderDecoder, pitches 48 to 83):

    0:36    the note that sounds
    36:38   a note sounds; silence
    38      a note begins at this step (in the source also: a note of one step has just ended)
    39      the melody last went up (1) or down (-1); 0 before it went either way
    40:42   this event is the one of a bar ago, of two bars ago
    42:49   seven binary digits of the number of the next step, 1 or -1
    49      the next step begins a bar
    50:62   the major keys that hold the most of all notes so far
    62:74   the major keys that hold the most of the last three different pitches

Said of the next step:

    0:36    this pitch begins
    36      nothing new
    37      the note ends
    38      the same as a bar ago
    39      the same as two bars ago, which goes before the others; before there are two bars,
            nothing new

A bar is 16 steps, one of 4/4. Source: Waite (2016), "Generating long-term structure in songs
and stories", and the code of Magenta's note-seq that it came with.
"""

from __future__ import annotations

import numpy as np

from pyzzicato.codecs.melody import HIGHEST, LOWEST, NO_EVENT, NOTE_OFF, STEPS_PER_BAR

__all__ = ["CLASSES", "INPUTS", "MAJOR", "PITCHES", "MelodyReader", "classes_of"]

PITCHES = HIGHEST - LOWEST + 1
NOTHING, ENDS, BAR_AGO, TWO_BARS_AGO = range(PITCHES, PITCHES + 4)
CLASSES = PITCHES + 4
COUNTER = 7  # binary digits
INPUTS = PITCHES + 2 + 1 + 1 + 2 + COUNTER + 1 + 12 + 12
TWO_BARS = 2 * STEPS_PER_BAR
SCALE = (0, 2, 4, 5, 7, 9, 11)
MAJOR = np.array(
    [[(pitch - key) % 12 in SCALE for key in range(12)] for pitch in range(12)], np.float32
)
"""(12, 12): whether a pitch class (row) belongs to a major key (column)."""


def classes_of(events: np.ndarray) -> np.ndarray:
    """The class of every event, (steps,) int64; pitches must lie within C3 to B5."""
    classes = np.where(events >= 0, events - LOWEST, np.where(events == NO_EVENT, NOTHING, ENDS))
    for ago, said in ((STEPS_PER_BAR, BAR_AGO), (TWO_BARS, TWO_BARS_AGO)):
        again = events[ago:] == events[:-ago]
        classes[ago:][again] = said
    classes[:TWO_BARS][events[:TWO_BARS] == NO_EVENT] = TWO_BARS_AGO
    return classes


class MelodyReader:
    """Some melodies of one length, read event by event; each pitch within C3 to B5."""

    def __init__(self, melodies: int) -> None:
        self.steps = 0
        self._row = np.arange(melodies)
        self._recent = np.full((melodies, TWO_BARS), NO_EVENT, np.int64)  # a ring
        self._sounding = np.full(melodies, -1, np.int64)
        self._last = np.full(melodies, -1, np.int64)  # the pitch that began last
        self._direction = np.zeros(melodies, np.float32)
        self._counts = np.zeros((melodies, 12), np.float32)
        self._begun = np.full((melodies, PITCHES), -1, np.int64)  # the step, by pitch

    def push(self, events: np.ndarray) -> np.ndarray:
        """Takes in each melody's next event, (melodies,); what is read then, (melodies, 74)."""
        read = np.zeros((len(events), INPUTS), np.float32)
        begins = events >= 0
        self._take(events, begins)
        sounds = self._sounding >= 0
        read[self._row[sounds], self._sounding[sounds] - LOWEST] = 1
        read[:, PITCHES] = sounds
        read[:, PITCHES + 1] = ~sounds
        read[:, PITCHES + 2] = begins
        read[:, PITCHES + 3] = self._direction
        for column, ago in enumerate((STEPS_PER_BAR, TWO_BARS)):
            if self.steps >= ago:
                read[:, PITCHES + 4 + column] = events == self._ago(ago)
        self._recent[:, self.steps % TWO_BARS] = events
        self.steps += 1
        column = PITCHES + 6
        digits = self.steps >> np.arange(COUNTER) & 1
        read[:, column : column + COUNTER] = 2 * digits - 1
        read[:, column + COUNTER] = self.steps % STEPS_PER_BAR == 0
        read[:, -24:-12] = _best_keys(self._counts)
        read[:, -12:] = _best_keys(self._newest())
        return read

    def meant(self) -> np.ndarray:
        """The event that each class stands for at the next step, (melodies, 40) int64."""
        events = np.empty((len(self._row), CLASSES), np.int64)
        events[:, :PITCHES] = np.arange(LOWEST, HIGHEST + 1)
        events[:, NOTHING], events[:, ENDS] = NO_EVENT, NOTE_OFF
        for ago, said in ((STEPS_PER_BAR, BAR_AGO), (TWO_BARS, TWO_BARS_AGO)):
            events[:, said] = self._ago(ago) if self.steps >= ago else NO_EVENT
        return events

    def repeated(self, melodies: int) -> MelodyReader:
        """The reader of one melody, for `melodies` that go on from there apart."""
        copy = MelodyReader(melodies)
        copy.steps = self.steps
        for name in ("_recent", "_sounding", "_last", "_direction", "_counts", "_begun"):
            setattr(copy, name, np.repeat(getattr(self, name), melodies, axis=0))
        return copy

    def _ago(self, steps: int) -> np.ndarray:
        """The events `steps` (16 or 32) before the next one."""
        found: np.ndarray = self._recent[:, (self.steps - steps) % TWO_BARS]
        return found

    def _take(self, events: np.ndarray, begins: np.ndarray) -> None:
        row, pitch = self._row[begins], events[begins]
        self._sounding = np.where(events == NO_EVENT, self._sounding, events)
        before = self._last[begins]
        way = np.sign(pitch - before) * (before >= 0)
        self._direction[begins] = np.where(way != 0, way, self._direction[begins])
        self._last[begins] = pitch
        self._counts[row, pitch % 12] += 1
        self._begun[row, pitch - LOWEST] = self.steps

    def _newest(self) -> np.ndarray:
        """How many of the last three different pitches fall on each pitch class, (melodies, 12)."""
        third = np.partition(self._begun, -3, axis=1)[:, -3:-2]
        newest = (self._begun >= 0) & (self._begun >= third)
        return newest.astype(np.float32) @ _CLASS_OF


_CLASS_OF = np.eye(12, dtype=np.float32)[np.arange(LOWEST, HIGHEST + 1) % 12]


def _best_keys(counts: np.ndarray) -> np.ndarray:
    """The major keys that hold the most of `counts` (melodies, 12); all where there are none."""
    held = counts @ MAJOR
    best: np.ndarray = held == held.max(axis=1, keepdims=True)
    return best
