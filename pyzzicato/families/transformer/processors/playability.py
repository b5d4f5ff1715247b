"""Two hands: what a pianist can strike at once.

A network that writes one note a step may write a chord of any size and width, and once it is large
each further key is likely. Two hands reach so far and no further: within 50 ms each strikes at most
five keys, within a ninth. In 615 minutes of recordings chords that do not keep to that are found
once in three minutes of Debussy's, once in six of Chopin's and hardly ever in Bach's, Mozart's and
Beethoven's; the flagship left to itself wrote 11, 8, 0.1, 1 and 4 a minute.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pyzzicato.codecs.performance import BINS, PITCH

__all__ = ["FINGERS", "REACH", "Hands", "within_reach"]

FINGERS = 5  # of a hand
REACH = 14  # semitones between its outermost keys, a ninth
CHORD = 5  # 10 ms steps; within them no finger strikes twice
KEYS = BINS[PITCH]


class Hands:
    """The hands of several takes, and what they have just struck."""

    def __init__(self, takes: int) -> None:
        self._pitches = np.zeros((takes, 2 * FINGERS), np.int64)
        self._ago = np.full((takes, 2 * FINGERS), CHORD, np.int64)  # 10 ms steps

    def rest(self) -> np.ndarray:
        """10 ms steps until a finger is free, (takes,)."""
        steps: np.ndarray = np.maximum(CHORD - self._ago[:, -1], 0)
        return steps

    def struck(self, waits: np.ndarray) -> npt.NDArray[np.bool_]:
        """The keys (takes, 88) struck at the instant after so many 10 ms steps (takes,).

        One of them once more would not be heard.
        """
        found = np.zeros((len(waits), KEYS), bool)
        for row, pitches, ago in zip(found, self._pitches, self._ago + waits[:, None], strict=True):
            row[pitches[ago == 0]] = True
        return found

    def beyond(self, waits: np.ndarray) -> npt.NDArray[np.bool_]:
        """The keys (takes, 88) out of reach after so many 10 ms steps (takes,)."""
        found = np.zeros((len(waits), KEYS), bool)
        for row, pitches, ago in zip(found, self._pitches, self._ago + waits[:, None], strict=True):
            held = pitches[ago < CHORD]
            if len(held):
                row[:] = ~within_reach(np.sort(held))
        return found

    def strike(self, pitches: np.ndarray, waits: np.ndarray) -> None:
        """Each take strikes a key (takes,), as code, after so many 10 ms steps (takes,)."""
        self._pitches, self._ago = (
            np.roll(each, 1, axis=1) for each in (self._pitches, self._ago + waits[:, None])
        )
        self._pitches[:, 0], self._ago[:, 0] = pitches, 0


def within_reach(held: np.ndarray) -> npt.NDArray[np.bool_]:
    """Which of the 88 keys two hands can strike together with `held`, rising codes (n,)."""
    found = np.zeros(KEYS, bool)
    for border in range(len(held) + 1):
        hands = held[:border], held[border:]
        if any(len(hand) > FINGERS or np.ptp(hand) > REACH for hand in hands if len(hand)):
            continue
        for hand in hands:
            if not len(hand):
                return np.ones(KEYS, bool)
            if len(hand) < FINGERS:
                found[max(0, hand[-1] - REACH) : hand[0] + REACH + 1] = True
    return found
