"""What is wished of a piano roll while it is drawn: how dense, how loud, which keys together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato.codecs.piano_roll import KEYS
from pyzzicato.data.density import density_table
from pyzzicato.data.intervals import interval_table
from pyzzicato.data.pieces import Piece
from pyzzicato.music.notes import NoteSequence

__all__ = ["Taught", "Wish", "roll_statistics"]

CHORD_WEIGHT = 0.6  # of the interval table; 1 overdoes it, 0 leaves clashes


@dataclass(frozen=True)
class Taught:
    """What the training measured of its music, beside the weights."""

    density: dict[str, float]  # median notes a second by composer
    loudness: dict[str, float]  # mean MIDI velocity by composer
    together: np.ndarray  # (88, 88), the interval table as a matrix, weighted

    @classmethod
    def of(cls, trained: dict[str, Any]) -> Taught:
        """From what training.json holds."""
        table = np.array(trained.get("intervals") or np.zeros(KEYS), np.float32)
        gap = np.abs(np.arange(KEYS)[:, None] - np.arange(KEYS)[None, :])
        return cls(
            trained.get("density", {}), trained.get("loudness", {}), CHORD_WEIGHT * table[gap]
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """How dense and how loud it should be: first as in the seed, then more and more as usual."""

    seed: float  # notes a second
    usual: float
    seed_loudness: float  # 0-1
    usual_loudness: float

    @classmethod
    def of(cls, seed: NoteSequence, taught: Taught, composer: str, busyness: float) -> Wish:
        usual = taught.density.get(composer, 8.0) * busyness
        loudness = taught.loudness.get(composer, 64.0) / 127
        if len(seed) < 4:
            return cls(usual, usual, loudness, loudness)
        own = len(seed) / seed.duration
        heard = float(np.mean([note.velocity for note in seed])) / 127
        return cls(float(np.clip(own, usual / 3, usual * 3)), usual, heard, loudness)

    def density(self, seconds: float) -> float:
        """Notes a second wanted after so many seconds of new music."""
        trust = self._trust(seconds)
        return float(self.seed**trust * self.usual ** (1 - trust))

    def loudness(self, seconds: float) -> float:
        """Mean velocity / 127 wanted after so many seconds of new music."""
        trust = self._trust(seconds)
        return trust * self.seed_loudness + (1 - trust) * self.usual_loudness

    @staticmethod
    def _trust(seconds: float) -> float:
        return float(0.25 + 0.75 * 0.5 ** (seconds / 15.0))


def roll_statistics(pieces: Sequence[Piece]) -> dict[str, Any]:
    """How dense and loud each composer's music is, and which intervals are struck together."""
    return {
        "density": {name: row["p50"] for name, row in density_table(pieces).items()},
        "loudness": _loudness(pieces),
        "intervals": interval_table(pieces),
    }


def _loudness(pieces: Sequence[Piece]) -> dict[str, float]:
    """The mean MIDI velocity of each composer's notes."""
    velocities: dict[str, list[np.ndarray]] = {}
    for piece in pieces:
        velocities.setdefault(piece.composer, []).append(piece.notes[:, 3])
    return {
        name: round(float(np.concatenate(parts).mean()), 1)
        for name, parts in sorted(velocities.items())
    }
