"""Lines and chords of a stretch of piano music, as whole numbers that can be counted.

    line = Line.of(start, pitch)           keys that are struck together, in order of time
    upper, lower = hands(start, pitch)     which notes the right hand may play, and the left

Pure NumPy on a few hundred notes; nothing here knows composers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Line", "contours", "figures", "hands", "rhythms", "shares", "steps", "turns"]

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

TOGETHER = 0.04  # seconds within which keys count as one chord
NEAR = 1.0  # seconds to both sides, in which the middle between the hands is looked for
STEP = 12  # semitones up and down that are told apart in a line
# Classes of a step by its size in semitones: small ones each, then fourths, sixths, octave, more.
SIZE = np.array([0, 1, 2, 3, 3, 4, 5, 5, 6, 6, 6, 6, 7, 8])
KINDS = 2 * int(SIZE[-1]) + 1
SLIGHT = 0.02  # seconds; shorter times count as this


@dataclass(frozen=True)
class Line:
    """Chords in order of time: `time` of each, `low` and `top` key, how many keys (`size`).

    `key` holds all keys, chord after chord from the lowest up, `chord` to which each belongs.
    """

    time: Floats
    low: Whole
    top: Whole
    size: Whole
    key: Whole
    chord: Whole

    @classmethod
    def of(cls, start: Floats, pitch: Whole) -> Line:
        """The chords of notes that are sorted by start, none for no notes."""
        if not len(start):
            none = np.zeros(0, np.int64)
            return cls(np.zeros(0), none, none, none, none, none)
        chord = _chords(start)
        order = np.lexsort((pitch, chord))
        chord, key, time = chord[order], pitch[order], start[order]
        new = np.append(True, (np.diff(chord) > 0) | (np.diff(key) > 0))
        chord, key, time = chord[new], key[new], time[new]
        first = np.flatnonzero(np.append(True, np.diff(chord) > 0))
        after = np.append(first[1:], len(key))
        begins = np.minimum.reduceat(time, first)
        return cls(begins, key[first], key[after - 1], after - first, key, chord)


def _chords(start: Floats) -> Whole:
    """The number of the chord of each note; a chord is struck within TOGETHER."""
    number, first = -1, -np.inf
    found = np.empty(len(start), np.int64)
    for place, time in enumerate(start.tolist()):
        if time - first > TOGETHER:
            number, first = number + 1, time
        found[place] = number
    return found


def hands(start: Floats, pitch: Whole) -> npt.NDArray[np.bool_]:
    """Which notes lie at or above the middle between the outermost keys around them, (n,)."""
    low = np.searchsorted(start, start - NEAR).tolist()
    high = np.searchsorted(start, start + NEAR, "right").tolist()
    middle = [
        (pitch[a:b].max() + pitch[a:b].min()) / 2 for a, b in zip(low, high, strict=True)
    ]  # fmt: skip
    upper: npt.NDArray[np.bool_] = pitch >= np.array(middle)
    return upper


def shares(kinds: npt.NDArray[np.integer], count: int) -> Floats:
    """How large a share of `kinds` each of 0..count-1 has, (count,); zeros for none."""
    found: Floats = np.bincount(kinds, minlength=count) / max(len(kinds), 1)
    return found


def steps(line: Whole) -> Floats:
    """Shares of the steps of a line, from an octave down to an octave up, (2 STEP + 1,)."""
    return shares(np.clip(np.diff(line), -STEP, STEP) + STEP, 2 * STEP + 1)


def figures(line: Whole) -> Floats:
    """Shares of pairs of steps one after the other, in classes of size, (KINDS²,)."""
    step = np.diff(line)
    kind = SIZE[np.minimum(np.abs(step), len(SIZE) - 1)] * np.sign(step) + SIZE[-1]
    return shares(kind[:-1] * KINDS + kind[1:], KINDS**2)


def contours(line: Whole) -> Floats:
    """Shares of shapes of four keys: each step's direction, and that of the leaps over one, (3⁵,).

    They tell in what order a broken chord turns, whatever its intervals.
    """
    if len(line) < 4:
        return np.zeros(3**5)
    step, leap = np.sign(np.diff(line)) + 1, np.sign(line[2:] - line[:-2]) + 1
    kinds = step[:-2] * 81 + step[1:-1] * 27 + step[2:] * 9 + leap[:-1] * 3 + leap[1:]
    return shares(kinds, 3**5)


def turns(kinds: Whole, count: int) -> Floats:
    """Shares of pairs, each of `kinds` 0..count-1 with the one after it, (count²,)."""
    return shares(kinds[:-1] * count + kinds[1:], count**2)


def rhythms(time: Floats) -> Floats:
    """Times between chords against their median, and how they grow and shrink, (7 + 25 + 125,)."""
    between = np.maximum(np.diff(time), SLIGHT)
    if len(between) < 2:
        return np.zeros(7 + 25 + 125)
    against = np.clip(np.rint(np.log2(between / np.median(between))), -3, 3).astype(np.int64) + 3
    growth = np.clip(np.rint(np.log2(between[1:] / between[:-1])), -2, 2).astype(np.int64) + 2
    threes = growth[:-2] * 25 + growth[1:-1] * 5 + growth[2:]
    return np.concatenate([shares(against, 7), turns(growth, 5), shares(threes, 125)])
