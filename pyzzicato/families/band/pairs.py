"""Training pairs of windows: two bars of the band and the two bars after them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.data.pieces import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.band.planes import PARTS, WIDTH, home_shift, planes, shifted
from pyzzicato.training.family import Examples

__all__ = ["BandPairs", "band_codes", "home_windows", "pairs_of"]

BAR, BEAT = 16, 4  # steps; a bar of four quarters
OFF_BAR = 0.3  # the share of pairs that begin at any beat, not where a bar of four quarters does


def band_codes(pieces: Sequence[Piece]) -> list[np.ndarray]:
    """The codes (steps, 5, 128) of every piece for the band, moved to C major or A minor."""
    found = [piece.codes for piece in pieces if hasattr(piece, "codes")]
    return [shifted(codes, home_shift(codes)) for codes in found if len(codes)]


def home_windows(codes: np.ndarray) -> np.ndarray:
    """Codes (steps, 5, 128) cut into two bars each, moved to C major or A minor: (n, 32, 5, 128).

    The last one is filled up with silence; those in which nothing sounds are left out.
    """
    count = -(-len(codes) // WINDOW)
    padded = np.zeros((count * WINDOW, *codes.shape[1:]), np.uint8)
    padded[: len(codes)] = shifted(codes, home_shift(codes))
    whole = padded.reshape(count, WINDOW, *codes.shape[1:])
    sounding: np.ndarray = whole[whole.any(axis=(1, 2, 3))]
    return sounding


def pairs_of(pieces: Sequence[Piece]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Two bars and the two after them, as planes, with the step before each in front: (33, 733).

    All that a piece has, one after another; where a piece is silent for all four bars it is left
    out.
    """
    for codes in band_codes(pieces):
        rows = np.concatenate([np.zeros((1, *codes.shape[1:]), np.uint8), codes])
        roll = planes(rows)
        for first in range(0, len(codes) - 2 * WINDOW + 1, WINDOW):
            middle = first + WINDOW
            if roll[first + 1 : middle + WINDOW + 1].any():
                yield roll[first : middle + 1], roll[middle : middle + WINDOW + 1]


class BandPairs(Examples):
    """An endless stream of training batches, or a fixed set of them for validation.

    Each batch is ({"roll": (batch, 65, 733) uint8, "noise": (batch, noise)}, (batch, 1) of
    zeros): the step before, 32 steps and the 32 after them; normal numbers; and nothing, since
    what is to be told is in the roll. Windows are drawn by length; of a share of `joining` some
    instruments are silent in the first one, so that they join the others in the second. Raises
    PyzzicatoError where no piece is for the band.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        config: Mapping[str, Any],
        noise: int,
        joining: float = 0.0,
    ) -> None:
        self.rolls = []
        for codes in band_codes(pieces):
            length = max(2 * WINDOW, -(-len(codes) // BAR) * BAR)
            roll = np.zeros((1 + length, WIDTH), np.uint8)  # silence before the first step
            roll[1 : 1 + len(codes)] = planes(codes)
            self.rolls.append(roll)
        if not self.rolls:
            raise PyzzicatoError(
                "There is no music for a band in that folder: it needs MIDI files with drums, "
                "bass or other instruments (see `pyzzicato data`)."
            )
        self.batch_size, self.noise = int(config["batch"]), noise
        self.joining = joining
        beginnings = np.array([len(roll) - 2 * WINDOW for roll in self.rolls], np.float64)
        self.chance = beginnings / beginnings.sum()

    def batch(self, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One batch of pairs."""
        rows = np.zeros((self.batch_size, 1 + 2 * WINDOW, WIDTH), np.uint8)
        for row, number in enumerate(rng.choice(len(self.rolls), self.batch_size, p=self.chance)):
            roll = self.rolls[number]
            grid = BEAT if rng.random() < OFF_BAR else BAR
            first = grid * int(rng.integers(0, (len(roll) - 1 - 2 * WINDOW) // grid + 1))
            rows[row] = roll[first : first + 1 + 2 * WINDOW]
            if self.joining and rng.random() < self.joining:
                for part in np.flatnonzero(rng.random(len(PARTS)) < 0.5).tolist():
                    rows[row, : 1 + WINDOW, slice(*PARTS[part])] = 0
        noise = rng.standard_normal((self.batch_size, self.noise), np.float32)
        return {"roll": rows, "noise": noise}, np.zeros((self.batch_size, 1), np.float32)
