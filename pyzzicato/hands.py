"""Two hands: what a pianist can strike at once.

A network that writes one note a step may write a chord of any size, and once it is large each
further key is likely. In 615 minutes of recordings by five composers never more than ten keys are
struck within 50 ms (eight or more 0.2 times a minute); so ten are the most.
"""

from __future__ import annotations

import numpy as np

__all__ = ["FINGERS", "Hands"]

FINGERS = 10
CHORD = 5  # 10 ms steps; within them no finger strikes twice


class Hands:
    """The keys that several takes strike; `keys` are those of the present instant, by take."""

    def __init__(self, takes: int) -> None:
        self.keys: list[set[int]] = [set() for _ in range(takes)]
        self._ago = np.full((takes, FINGERS), CHORD, np.int64)  # steps since the last strikes

    def rest(self) -> np.ndarray:
        """10 ms steps until a finger is free, (takes,)."""
        steps: np.ndarray = np.maximum(CHORD - self._ago[:, -1], 0)
        return steps

    def strike(self, pitches: np.ndarray, waits: np.ndarray) -> None:
        """Each take strikes a key (takes,) after so many 10 ms steps (takes,)."""
        self._ago = np.roll(self._ago + waits[:, None], 1, axis=1)
        self._ago[:, 0] = 0
        for keys, pitch, wait in zip(self.keys, pitches, waits, strict=True):
            if wait:
                keys.clear()
            keys.add(int(pitch))
