"""What the GAN's networks read and write, in NumPy: training batches, and codes from answers.

Shapes and names as in `pyzzicato.gan_network`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pyzzicato.band_pairs import BandPairs
from pyzzicato.band_planes import PARTS, SPANS, WIDTH
from pyzzicato.codecs.multitrack_roll import HELD, STRUCK, WINDOW
from pyzzicato.datasets import Piece
from pyzzicato.gan_network import HALVINGS, KIND_OF, NOISE, REACH

__all__ = ["GanBatch", "GanPairs", "cells_of", "codes_of", "cond_of", "roll_codes", "roll_of"]

SOME_GIVEN = 0.4  # the share of training windows of which instruments are given
SOME_SILENT = 0.2  # the share whose window before lacks instruments, as a seed for one has it

ALL_SILENT = 0.04  # the share with silence before


class GanBatch(NamedTuple):
    """Windows that follow others: what goes before and is given, and what came, planes."""

    cond: np.ndarray  # (batch, 32, 1471)
    real: np.ndarray  # (batch, 32, 733)
    noise: np.ndarray  # (batch, 100)
    other: np.ndarray  # (batch, 100), another noise


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
        before, real = rolls[:, 1 : 1 + WINDOW], rolls[:, 1 + WINDOW :]
        size = len(rolls)
        lock, silent = np.zeros((2, size, 5), bool)
        if training:
            lock = (rng.random((size, 5)) < 0.5) & (rng.random((size, 1)) < SOME_GIVEN)
            lock[lock.all(axis=1)] = False
            silent = (rng.random((size, 5)) < 0.6) & (rng.random((size, 1)) < SOME_SILENT)
            silent |= rng.random((size, 1)) < ALL_SILENT
        before = before.copy()
        for part, (first, end) in enumerate(PARTS):
            before[silent[:, part], :, first:end] = 0
        return GanBatch(cond_of(before, real, lock), real, noise[:, :NOISE], noise[:, NOISE:])


def cells_of(logits: np.ndarray, cond: np.ndarray) -> np.ndarray:
    """Planes (batch, 32, 733) of 0 and 1 from a generator's answer, with what is given."""
    cells = (logits > _thresholds(logits)).astype(np.float32)
    for part, (first, end) in enumerate(PARTS):
        if part:
            middle = (first + end) // 2
            cells[..., middle:end] = np.maximum(cells[..., middle:end], cells[..., first:middle])
        on = cond[..., 2 * WIDTH + part : 2 * WIDTH + part + 1]
        given = cond[..., WIDTH + first : WIDTH + end]
        cells[..., first:end] = np.where(on > 0, given, cells[..., first:end])
    return cells


def _thresholds(logits: np.ndarray) -> np.ndarray:
    """The thresholds of `pyzzicato.gan_network.binary`, (batch, 1, 733)."""
    chances = 0.5 + 0.5 * np.tanh(0.5 * logits)
    wanted = chances.sum(axis=1) @ KIND_OF
    low = np.full_like(wanted, -REACH)
    for halving in range(HALVINGS):
        middle = low + REACH / 2**halving
        above = (logits > (middle @ KIND_OF.T)[:, None]).sum(axis=1, dtype=np.float32)
        low = np.where(above @ KIND_OF > wanted, middle, low)
    high: np.ndarray = ((low + REACH / 2 ** (HALVINGS - 1)) @ KIND_OF.T)[:, None]
    return high


def codes_of(cells: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Codes (batch, steps, 5, 128) from planes; `before` (batch, 5, 128) is the step before.

    What sounds without having been struck before is left out.
    """
    batch, steps, _ = cells.shape
    codes = np.zeros((batch, steps, 5, 128), np.uint8)
    for part, ((first, end), (low, high)) in enumerate(zip(PARTS, SPANS, strict=True)):
        keys = high - low
        struck = cells[..., first : first + keys] > 0
        mine, last = codes[:, :, part, low:high], before[:, part, low:high] > 0
        for step in range(steps):
            if part:
                last = last & (cells[:, step, first + keys : end] > 0)
                mine[:, step][last] = HELD
                last = last | struck[:, step]
            mine[:, step][struck[:, step]] = STRUCK
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
