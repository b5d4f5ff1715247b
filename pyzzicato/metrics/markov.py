"""An order-3 Markov model of notes with back-off: the baseline that costs seconds.

Like the networks that write one note a step it decides time, pitch, duration and velocity one
after another; each is told from counts in the training music, given up to three notes before
and what is decided of the note itself. Contexts grow along `CHAINS`; each count is mixed with
what the shorter context said, n / (n + CAUTION x kinds of codes seen there) of it (Witten and
Bell, 1991, method C, where CAUTION is 1; 4 was best on validation music).

A context is packed into one whole number, so the counts are sorted arrays and a look-up is a
binary search. No model is kept: each context is counted, asked and forgotten, which bounds the
memory by a few arrays as long as the training music.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyzzicato.codecs.performance import BINS, DURATION, PITCH, TIME, VELOCITY

__all__ = ["CHAINS", "NOTE_SIZES", "Line", "markov_bits", "uniform_bits"]

Line = tuple[np.ndarray, int]
"""A piece's codes, (n, 4) or more columns, and its kind, 1 or 2."""

CAUTION = 4.0
KIND = 4
NOTE_SIZES = (*(bins + 1 for bins in BINS), 3)  # one more for "no note" before the piece begins

Context = tuple[tuple[int, int], ...]  # (notes ago, field); 0 is the note itself
_KIND: Context = ((0, KIND),)
CHAINS: tuple[tuple[Context, ...], ...] = (
    (  # time: the rhythm, and how long the last note is
        (),
        _KIND,
        (*_KIND, (1, TIME)),
        (*_KIND, (1, TIME), (1, DURATION)),
        (*_KIND, (1, TIME), (1, DURATION), (2, TIME)),
        (*_KIND, (1, TIME), (1, DURATION), (2, TIME), (3, TIME)),
    ),
    (  # pitch: the line, and whether a chord goes on
        (),
        _KIND,
        (*_KIND, (1, PITCH)),
        (*_KIND, (1, PITCH), (0, TIME)),
        (*_KIND, (1, PITCH), (0, TIME), (2, PITCH)),
        (*_KIND, (1, PITCH), (0, TIME), (2, PITCH), (3, PITCH)),
    ),
    (  # duration
        (),
        _KIND,
        (*_KIND, (1, DURATION)),
        (*_KIND, (1, DURATION), (0, TIME)),
        (*_KIND, (1, DURATION), (0, TIME), (2, DURATION)),
        (*_KIND, (1, DURATION), (0, TIME), (2, DURATION), (3, DURATION)),
    ),
    (  # velocity
        (),
        _KIND,
        (*_KIND, (1, VELOCITY)),
        (*_KIND, (1, VELOCITY), (2, VELOCITY)),
        (*_KIND, (1, VELOCITY), (2, VELOCITY), (0, TIME)),
        (*_KIND, (1, VELOCITY), (2, VELOCITY), (0, TIME), (3, VELOCITY)),
    ),
)


class _Notes:
    """Many pieces as one array of notes (n, 5): four codes and the kind."""

    def __init__(self, lines: Sequence[Line]) -> None:
        empty = [np.zeros((0, 5), np.int16)]
        parts = [np.insert(codes[:, :4], 4, kind, axis=1).astype(np.int16) for codes, kind in lines]
        self.codes = np.concatenate(empty + parts)
        self.lengths = [len(part) for part in parts]
        self._place = np.concatenate([np.zeros(0, np.int32), *map(np.arange, self.lengths)])

    def context(self, context: Context) -> np.ndarray:
        """Every note's context as one whole number, (n,) int64."""
        packed = np.zeros(len(self.codes), np.int64)
        for ago, field in context:
            column = self.codes[:, field]
            if ago:
                there = self._place >= ago
                column = np.where(there, np.roll(column, ago), NOTE_SIZES[field] - 1)
            packed = packed * NOTE_SIZES[field] + column
        return packed


def markov_bits(learned: Sequence[Line], asked: Sequence[Line]) -> list[np.ndarray]:
    """Bits of every note of `asked`, told from the counts of `learned`: (n, 4) per piece.

    The columns are time, pitch, duration and velocity.
    """
    known, wanted = _Notes(learned), _Notes(asked)
    bits = np.empty((len(wanted.codes), len(BINS)))
    for field, chain in enumerate(CHAINS):
        chance = np.full(len(wanted.codes), 1 / BINS[field])
        for context in chain:
            chance = _told(known, wanted, field, context, chance)
        bits[:, field] = -np.log2(chance)
    return np.split(bits, np.cumsum(wanted.lengths)[:-1]) if asked else []


def uniform_bits() -> float:
    """Bits per note where every code is as likely as any other: 25.04."""
    return float(np.log2(np.array(BINS, np.float64)).sum())


def _told(
    known: _Notes, wanted: _Notes, field: int, context: Context, before: np.ndarray
) -> np.ndarray:
    """The chance of each wanted code given `context`, mixed with that of the shorter one."""
    if not len(known.codes):
        return before
    bins = BINS[field]
    pairs, counts = np.unique(
        known.context(context) * bins + known.codes[:, field], return_counts=True
    )
    contexts, first, different = np.unique(pairs // bins, return_index=True, return_counts=True)
    totals = np.add.reduceat(counts, first)
    here = wanted.context(context)
    total, kinds = _looked_up(contexts, here, totals), _looked_up(contexts, here, different)
    count = _looked_up(pairs, here * bins + wanted.codes[:, field], counts)
    doubt = CAUTION * kinds
    mixed = (count + doubt * before) / np.maximum(total + doubt, 1.0)
    return np.where(total > 0, mixed, before)


def _looked_up(keys: np.ndarray, wanted: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`values` at the places of `wanted` in the sorted `keys`; 0 where it is not among them."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
