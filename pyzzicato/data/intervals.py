"""Which intervals pianists strike together, measured from real music.

A network that says each key's probability apart knows which keys are likely but not which go
together: drawn independently, one chord in ten of its output had a clash of a semitone, where
real music has one in seventy. This table is what is missing: for each interval, how much more
often two keys are struck together than the same two within a few notes of each other.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pyzzicato.codecs.piano_roll import KEYS
from pyzzicato.data.pieces import Piece
from pyzzicato.music.notes import LOWEST_KEY

__all__ = ["interval_table"]

TOGETHER = range(1, 8)  # how many notes back a note of the same chord is looked for
NEAR = (7, 11, 13, 17, 23)  # how many notes back "a few notes before" is
FEW = 20.0  # pairs added to both counts, so that rare intervals stay moderate


def interval_table(pieces: Iterable[Piece], steps_per_second: float = 20.0) -> list[float]:
    """Natural logarithm of the preference for each interval of 0 to 87 semitones, (88,).

    0 is never struck together with itself and gets a very low number; the others lie within
    -4 and 2.
    """
    together, near = np.zeros(KEYS), np.zeros(KEYS)
    for piece in pieces:
        key = piece.notes[:, 2].astype(np.int64) - LOWEST_KEY
        inside = (key >= 0) & (key < KEYS)
        key = key[inside]
        step = np.rint(piece.notes[inside, 0] * steps_per_second).astype(np.int64)
        for back in TOGETHER:
            same = step[back:] == step[:-back]
            gap = np.abs(key[back:] - key[:-back])[same]
            together += np.bincount(gap, minlength=KEYS)
        for back in NEAR:
            if len(key) > back:
                near += np.bincount(np.abs(key[back:] - key[:-back]), minlength=KEYS)
    share = (together + FEW) / (together + FEW).sum()
    table = np.clip(np.log(share) - np.log((near + FEW) / (near + FEW).sum()), -4.0, 2.0)
    table[0] = -9.0
    return [round(float(value), 3) for value in table]
