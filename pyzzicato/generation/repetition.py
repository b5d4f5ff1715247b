"""A guard against endless repetition: where a figure goes round and round, chance gets more room.

A note adds to the run of lag L (1 to 8) where it is the same as the one L notes before; a run is
endless beyond `ROUNDS` x L notes and beyond `FEWEST`. From there on every further note of it raises
the temperature a little, until the figure is left. Where the music that is gone on from has such
runs itself, the guard is off.
"""

from __future__ import annotations

import numpy as np

__all__ = ["FEWEST", "ROUNDS", "Guard", "lag_runs"]

LAGS = np.arange(1, 9)  # notes
ROUNDS = 4  # times that a figure may come again
FEWEST = 16  # notes that come again, however short the figure is
HEAT = 0.05  # of the temperature, for each further note
HOTTEST = 3.0
ENDLESS = np.maximum(ROUNDS * LAGS, FEWEST)


def lag_runs(notes: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """For each note (n,) and lag, how many notes in a row equal the one a lag before; (n, lags)."""
    here = np.arange(len(notes))
    runs = np.zeros((len(notes), len(lags)), np.int64)
    for column, lag in enumerate(lags):
        again = np.zeros(len(notes), bool)
        again[lag:] = notes[lag:] == notes[:-lag]
        runs[:, column] = here - np.maximum.accumulate(np.where(again, -1, here))
    return runs


class Guard:
    """Watches what several takes write after the same music.

    `before` is that music, (n,) whole numbers, one for all that makes two notes the same; the guard
    is off where it repeats itself.
    """

    def __init__(self, before: np.ndarray, takes: int) -> None:
        runs = lag_runs(before, LAGS)
        self.off = bool((runs > ENDLESS).any())
        last = np.full(len(LAGS), -1, np.int64)
        end = before[-len(LAGS) :][::-1]
        last[: len(end)] = end
        self._last = np.tile(last, (takes, 1))  # the newest note first
        newest = runs[-1] if len(before) else np.zeros(len(LAGS), np.int64)
        self._runs = np.tile(newest, (takes, 1))

    def heat(self) -> np.ndarray:
        """What the temperature of the next note is multiplied with, (takes,), 1 to 3."""
        if self.off:
            return np.ones(len(self._runs), np.float32)
        more = np.maximum(self._runs - ENDLESS, 0).max(axis=1)
        heat: np.ndarray = np.minimum(1 + HEAT * more, HOTTEST).astype(np.float32)
        return heat

    def saw(self, chosen: np.ndarray) -> None:
        """Takes in the notes just written, (takes,)."""
        note = chosen[:, None]
        self._runs = np.where(self._last == note, self._runs + 1, 0)
        self._last = np.concatenate([note, self._last[:, :-1]], axis=1)
