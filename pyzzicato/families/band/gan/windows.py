"""What the GAN's networks read and write, in NumPy: training batches, and codes from answers.

Shapes and names as in `pyzzicato.families.band.gan.network`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pyzzicato.codecs.multitrack_roll import HELD, STRUCK, WINDOW
from pyzzicato.data.pieces import Piece
from pyzzicato.families.band.gan.network import NOISE
from pyzzicato.families.band.pairs import BandPairs
from pyzzicato.families.band.planes import PARTS, SPANS

__all__ = ["GanBatch", "GanPairs", "cond_of", "real_codes", "roll_codes", "roll_of", "step_before"]

SOME_GIVEN = 0.4  # the share of training windows of which instruments are given
ALONE = 0.12  # the share whose window before has one instrument, as a seed for one has it
ALL_SILENT = 0.03  # the share with silence before


class GanBatch(NamedTuple):
    """Windows that follow others: what goes before and is given, and what came, planes."""

    rows: np.ndarray  # (batch, 33, 733), what came, with the step before in front
    cond: np.ndarray  # (batch, 32, 1471)
    noise: np.ndarray  # (batch, 100)
    other: np.ndarray  # (batch, 100), another noise
    draws: np.ndarray  # (batch, 5), uniform, for how many strokes


def cond_of(before: np.ndarray, given: np.ndarray, lock: np.ndarray) -> np.ndarray:
    """`cond` from planes (batch, 32, 733) and from who is given, (batch, 5) or (batch, 32, 5)."""
    on = np.broadcast_to(lock if lock.ndim == 3 else lock[:, None], (*before.shape[:2], 5))
    given = given.astype(np.float32)
    for part, (first, end) in enumerate(PARTS):
        given[..., first:end] *= on[..., part : part + 1]
    return np.concatenate([before, given, on], axis=-1).astype(np.float32)


class GanPairs:
    """An endless stream of batches; windows as in `BandPairs`."""

    def __init__(self, pieces: Sequence[Piece], config: Mapping[str, Any]) -> None:
        self._pairs = BandPairs(pieces, config, 2 * NOISE)

    def batch(self, rng: np.random.Generator, training: bool = True) -> GanBatch:
        """One batch; in training some instruments are given or silent before."""
        read, _ = self._pairs.batch(rng)
        rolls, noise = read["roll"].astype(np.float32), read["noise"]
        size = len(rolls)
        lock, silent = np.zeros((2, size, 5), bool)
        if training:
            lock = (rng.random((size, 5)) < 0.5) & (rng.random((size, 1)) < SOME_GIVEN)
            lock[lock.all(axis=1)] = False
            # With some silent at most times, it would be taught that what rests begins again.
            alone = np.eye(5, dtype=bool)[rng.integers(0, 5, size)]
            silent = ~alone & (rng.random((size, 1)) < ALONE)
            silent |= rng.random((size, 1)) < ALL_SILENT
        for part, (first, end) in enumerate(PARTS):
            rolls[silent[:, part], : 1 + WINDOW, first:end] = 0
        before, rows = rolls[:, 1 : 1 + WINDOW], rolls[:, WINDOW:]
        cond = cond_of(before, rows[:, 1:], lock)
        draws = rng.random((size, 5), np.float32)
        return GanBatch(rows, cond, noise[:, :NOISE], noise[:, NOISE:], draws)


def step_before(batch: GanBatch) -> np.ndarray:
    """The step before what came, as codes without strokes, (batch, 5, 128)."""
    codes = np.zeros((len(batch.rows), 5, 128), np.uint8)
    for part, ((_, end), (low, high)) in enumerate(zip(PARTS, SPANS, strict=True)):
        codes[:, part, low:high] = batch.rows[:, 0, end - (high - low) : end] * HELD
    return codes


def real_codes(batch: GanBatch) -> np.ndarray:
    """What came, (batch, 32, 5, 128)."""
    codes = np.zeros((len(batch.rows), WINDOW, 5, 128), np.uint8)
    for part, ((first, end), (low, high)) in enumerate(zip(PARTS, SPANS, strict=True)):
        keys = high - low
        codes[:, :, part, low:high] = batch.rows[:, 1:, end - keys : end] * HELD
        codes[:, :, part, low:high][batch.rows[:, 1:, first : first + keys] > 0] = STRUCK
    return codes


def roll_of(cells: np.ndarray) -> np.ndarray:
    """The published roll, (batch, 32, 128, 5) of what sounds, from planes."""
    roll = np.zeros((*cells.shape[:2], 128, 5), np.float32)
    for part, ((_, end), (low, high)) in enumerate(zip(PARTS, SPANS, strict=True)):
        roll[:, :, low:high, part] = cells[..., end - (high - low) : end]
    return roll


def roll_codes(chances: np.ndarray) -> np.ndarray:
    """Codes (batch, 32, 5, 128) from a published roll of chances.

    How it became binary is not stated in the source. Here as many cells of an instrument sound as
    their chances add up to, the likeliest: by a fixed threshold of 0.5 it was soon silent. A key
    is struck where it did not sound in the step before; what the band does not play is left out.
    """
    size, steps = chances.shape[:2]
    codes = np.zeros((size, steps, 5, 128), np.uint8)
    for part, (low, high) in enumerate(SPANS):
        mine = chances[:, :, low:high, part]
        flat = mine.reshape(size, -1)
        count = np.floor(flat.sum(axis=1) + 0.5).astype(np.int64)
        place = np.maximum(flat.shape[1] - 1 - count, 0)
        least = np.sort(flat, axis=1)[np.arange(size), place]
        sounds = mine > least[:, None, None]
        earlier = np.concatenate([np.zeros_like(sounds[:, :1]), sounds[:, :-1]], axis=1)
        again = STRUCK if part == 0 else HELD
        codes[:, :, part, low:high] = np.where(sounds, np.where(earlier, again, STRUCK), 0)
    return codes
