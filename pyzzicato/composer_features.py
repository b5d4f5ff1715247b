"""What a clip shows of its composer's hand, as a row of numbers for the composer classifier.

    composer_features(sequence)        (WIDTH,) float32, or None below FEWEST notes

Registers, chords, the steps of the highest and lowest line, note lengths and the times between
them, and how much of each tone of the key. Loudness and exact timing are left out: they would
tell who played or recorded, not who composed. Drums are left out.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pyzzicato.notes import NoteSequence

__all__ = ["FEWEST", "WIDTH", "composer_features", "features_of"]

Floats = npt.NDArray[np.float64]

FEWEST = 20  # notes
TOGETHER = 0.04  # seconds within which keys count as one chord
STEP = 12  # semitones up and down that are told apart in a line
TIMES = np.geomspace(0.05, 3.0, 11)  # seconds, borders of classes
SIZES = 8  # keys of a chord, the last class is that and more
REGISTERS = 22  # of four keys each
# Krumhansl and Kessler (1982): how well each tone fits a major and a minor key.
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
WIDTH = REGISTERS + 24 + 4 * (2 * STEP + 1) + 2 * (len(TIMES) + 1) + SIZES + 12 + 2 + 6


def composer_features(sequence: NoteSequence) -> npt.NDArray[np.float32] | None:
    """The features of a clip of some 20 seconds; None where it has too few notes to tell."""
    rows = [(n.start, n.end, n.pitch) for n in sequence if not n.is_drum]
    return features_of(np.array(rows, np.float64).reshape(-1, 3))


def features_of(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32] | None:
    """The same for rows (n, 3 or more) of start, end, pitch, sorted by start, then by end."""
    if len(rows) < FEWEST:
        return None
    start, end = rows[:, 0].astype(np.float64), rows[:, 1].astype(np.float64)
    length, pitch = end - start, rows[:, 2].astype(np.int64)
    chords = _chords(start, pitch)
    begins = np.array([chord[0] for chord in chords])
    keys = [chord[1] for chord in chords]
    top, bottom = (np.array([outer(each) for each in keys]) for outer in (max, min))
    between = np.diff(begins)
    span = max(float(np.ptp(start)), 1.0)
    tones, fits = _in_key(pitch, length)
    parts = [
        _shares(np.clip((pitch - 21) // 4, 0, REGISTERS - 1), REGISTERS),
        _intervals(keys),
        _steps(top),
        _steps(bottom),
        _steps(top[::2]),
        _steps(bottom[::2]),
        _shares(np.searchsorted(TIMES, between), len(TIMES) + 1),
        _shares(np.searchsorted(TIMES, length), len(TIMES) + 1),
        _shares(np.array([min(len(each), SIZES) - 1 for each in keys]), SIZES),
        tones,
        fits,
        np.array([
            np.log(len(pitch) / span), np.log(len(keys) / span), top.mean() / 12,
            bottom.mean() / 12, np.ptp(pitch) / 12, np.log(length.sum() / span + 0.1),
        ]),
    ]  # fmt: skip
    return np.concatenate(parts).astype(np.float32)


def _chords(start: Floats, pitch: npt.NDArray[np.int64]) -> list[tuple[float, list[int]]]:
    """Keys struck together, from the lowest up, with the time of the first of them."""
    chords: list[tuple[float, list[int]]] = []
    for time, key in zip(start.tolist(), pitch.tolist(), strict=True):
        if chords and time - chords[-1][0] <= TOGETHER:
            chords[-1][1].append(key)
        else:
            chords.append((time, [key]))
    return [(time, sorted(set(keys))) for time, keys in chords]


def _shares(kinds: npt.NDArray[np.int64], count: int) -> Floats:
    return np.bincount(kinds, minlength=count) / max(len(kinds), 1)


def _intervals(keys: list[list[int]]) -> Floats:
    """Intervals between neighbours and above the bass in chords, without octaves, (24,)."""
    neighbours = [(b - a) % 12 for each in keys for a, b in pairwise(each)]
    bass = [(key - each[0]) % 12 for each in keys for key in each[1:]]
    both = [_shares(np.array(found, np.int64), 12) for found in (neighbours, bass)]
    return np.concatenate(both)


def _steps(line: npt.NDArray[np.int64]) -> Floats:
    """Shares of the steps of a line, from an octave down to an octave up."""
    return _shares(np.clip(np.diff(line), -STEP, STEP) + STEP, 2 * STEP + 1)


def _in_key(pitch: npt.NDArray[np.int64], length: Floats) -> tuple[Floats, Floats]:
    """Time on each tone, counted from the key that fits best, and how well both modes fit."""
    time = np.bincount(pitch % 12, np.minimum(length, 2.0), minlength=12)
    time = time / time.sum()
    fits = [
        [_correlation(np.roll(time, -root), profile) for root in range(12)]
        for profile in (MAJOR, MINOR)
    ]
    best = int(np.argmax(np.max(fits, axis=0)))
    return np.roll(time, -best), np.max(fits, axis=1)


def _correlation(one: Floats, other: Floats) -> float:
    a, b = one - one.mean(), other - other.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / size) if size > 0 else 0.0
