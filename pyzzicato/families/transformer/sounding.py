"""Which keys still sound as a note is struck: what a network of notes may read beside the notes.

The same in training, where whole windows are read, and in playing, where it is one note after
another: what is known of a piece so far is kept in a `Sounding`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyzzicato.codecs.performance import BINS, DURATION, PITCH, TICKS, TIME, time_bounds
from pyzzicato.codecs.performance import duration_seconds as lengths_of_bins

__all__ = ["KEYS", "Sounding"]

KEYS = BINS[PITCH]
GRACE = 0.03  # seconds; a note that ends so soon after the next one begins is not heard with it
SILENT = -1.0  # seconds; a key that does not sound has ended before the piece began


class Sounding:
    """The keys that sound in each of some pieces; at first none."""

    def __init__(self, takes: int) -> None:
        self._now = np.zeros(takes)
        self._until = np.full((takes, KEYS), SILENT)  # seconds at which each key falls silent
        self._waits = np.append(time_bounds() / TICKS, 0.0)
        self._lengths = np.append(lengths_of_bins(), 0.0)

    def read(self, notes: NDArray[np.int64]) -> NDArray[np.float32]:
        """(takes, n, 88), 1 where a key sounds as the note read is struck, that note's own too.

        `notes` (takes, n, 4 or more) are what is read next, as in `transformer.windows`;
        where one is "no note" everything falls silent.
        """
        takes = np.arange(len(self._now))
        sound = np.zeros((*notes.shape[:2], KEYS), np.float32)
        waits, lengths = self._waits[notes[..., TIME]], self._lengths[notes[..., DURATION]]
        there = notes[..., PITCH] < KEYS
        keys = np.minimum(notes[..., PITCH], KEYS - 1)
        for n in range(notes.shape[1]):
            self._now += waits[:, n]
            self._until[~there[:, n]] = SILENT
            struck = takes[there[:, n]]
            self._until[struck, keys[struck, n]] = (self._now + lengths[:, n])[struck]
            sound[:, n] = self._until > self._now[:, None] + GRACE
        return sound

    def repeated(self, takes: int) -> Sounding:
        """What sounds in each piece, for `takes` pieces that go on from there apart."""
        copy = Sounding(takes * len(self._now))
        copy._now = np.repeat(self._now, takes)
        copy._until = np.repeat(self._until, takes, axis=0)
        return copy
