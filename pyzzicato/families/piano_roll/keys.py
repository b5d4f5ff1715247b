"""Which keys are down in every take while a piano roll is drawn, and the notes that they make."""

from __future__ import annotations

import numpy as np

from pyzzicato.codecs.piano_roll import KEYS
from pyzzicato.music.notes import LOWEST_KEY, Note

__all__ = ["Keyboards"]


class Keyboards:
    """The keyboards of several takes, one step after another, all at once.

    `down` (takes, 88) of bool are the keys that sound, `struck` (takes, 88) the steps in which
    they were struck. In most steps nothing happens, and nearly nothing is done.
    """

    def __init__(self, takes: int, steps_per_second: float) -> None:
        self.rate = steps_per_second
        self.step = 0
        self.down = np.zeros((takes, KEYS), bool)
        self.struck = np.zeros((takes, KEYS), np.int64)
        self._count = 0  # of the keys that are down
        self._velocity = np.zeros((takes, KEYS), np.int64)
        self._news: list[list[Note]] = [[] for _ in range(takes)]

    def go_on(self, kept: np.ndarray) -> None:
        """A step in which nothing is struck: `kept` (takes, 88), of the keys that are down, stay
        so; the notes of the others end."""
        count = int(np.count_nonzero(kept))
        if count != self._count:
            self._end(self.down & ~kept)
            self.down[:], self._count = kept, count
        self.step += 1

    def strike(
        self, kept: np.ndarray, take: np.ndarray, key: np.ndarray, loudness: np.ndarray
    ) -> None:
        """A step in which `key` of `take` (n,) are struck, so loud (n,) of 0-1: new notes.

        A struck key that is down starts a new note, whether or not it is among `kept`.
        """
        kept[take, key] = False
        self._end(self.down & ~kept)
        self.down[:] = kept
        self.down[take, key] = True
        self._count = int(np.count_nonzero(self.down))
        self.struck[take, key] = self.step
        heard = np.rint(np.asarray(loudness, np.float64) * 127)
        self._velocity[take, key] = np.minimum(np.maximum(heard, 1), 127)
        self.step += 1

    def close(self) -> None:
        """Ends what still sounds."""
        self._end(self.down)
        self.down[:], self._count = False, 0

    def news(self, take: int) -> tuple[Note, ...]:
        """The notes of one take that ended since this was last asked."""
        told, self._news[take] = tuple(self._news[take]), []
        return told

    def _end(self, ended: np.ndarray) -> None:
        places = ended.nonzero()
        end = self.step / self.rate
        rows = (*places, self.struck[places], self._velocity[places])
        for take, key, struck, velocity in zip(*(row.tolist() for row in rows), strict=True):
            note = Note(struck / self.rate, end, key + LOWEST_KEY, velocity)
            self._news[take].append(note)
