"""What families share that write for a band two bars at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.families.band.decode import Plan
from pyzzicato.families.band.planes import home_shift, shifted

__all__ = ["WAYS", "Begun", "begun", "normals"]

WAYS = 8  # tried for the piano where other instruments are kept
BAR, BEAT = 16, 4  # steps
EDGE = 1e-6


class Begun(NamedTuple):
    """Where the first block begins, so many steps before the new music; the semitones that the
    music is moved by to be read; and the last two bars before the block, moved, (32, 5, 128)."""

    cut: int
    shift: int
    window: np.ndarray


def begun(plan: Plan) -> Begun:
    """What comes before the first block.

    Blocks begin at a bar line, or, where there are not two bars before it, at a beat: the networks
    were taught so. What they then write of the seed's own time is cut off.
    """
    cut = plan.place % (BAR if len(plan.before) >= 2 * BAR else BEAT)
    shift = home_shift(np.concatenate([plan.before, plan.kept_codes]))
    window = np.zeros((WINDOW, 5, 128), np.uint8)
    heard = plan.before[: max(len(plan.before) - cut, 0)][-WINDOW:]
    if len(heard):
        window[-len(heard) :] = shifted(heard, shift)
    return Begun(cut, shift, window)


def normals(draws: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Normal numbers of uniform ones (takes, n), half as many (Box and Muller, 1958): `shape`."""
    half = draws.shape[1] // 2
    lengths = np.sqrt(-2 * np.log(1 - draws[:, :half].astype(np.float64) * (1 - EDGE)))
    numbers = lengths * np.cos(2 * np.pi * draws[:, half:])
    found: np.ndarray = numbers.reshape(shape).astype(np.float32)
    return found
