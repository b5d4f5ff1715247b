"""Figures of pieces that last for minutes: density, height, drift, repeats (`minutes_long.py`).

A piece is an array of notes, (n, 4): start and end in seconds, pitch, velocity.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyzzicato.codecs.piano_roll import ONSET, draw_roll
from pyzzicato.data.density import WINDOW_SECONDS

PERCENTILES = (10, 50, 90)
GRID = 20.0  # steps a second, for repeats
REPEAT = 4.0  # seconds
RESAMPLES = 2000
PART = 3.0  # seconds; of a window of 30 there are ten
LEAST = 0.3  # notes a second, added before logarithms


def densities(notes: np.ndarray, seconds: float) -> np.ndarray:
    """Notes per second of the whole 30 s windows of the first `seconds`."""
    count = int(seconds / WINDOW_SECONDS)
    index = (notes[:, 0] / WINDOW_SECONDS).astype(np.int64)
    return np.bincount(index[index < count], minlength=count) / WINDOW_SECONDS


def heights(notes: np.ndarray, seconds: float) -> np.ndarray:
    """The mean pitch of each 30 s window of the first `seconds` in which a key is struck."""
    index = (notes[:, 0] / WINDOW_SECONDS).astype(np.int64)
    windows = range(int(seconds / WINDOW_SECONDS))
    return np.array([notes[index == n, 2].mean() for n in windows if (index == n).any()])


def drift(notes: np.ndarray, seconds: float) -> float:
    """Notes in the last third over notes in the first; one is added to both."""
    first = (notes[:, 0] < seconds / 3).sum()
    last = ((notes[:, 0] >= seconds * 2 / 3) & (notes[:, 0] < seconds)).sum()
    return float((last + 1) / (first + 1))


def drift_sizes(pieces: Sequence[np.ndarray], seconds: float) -> np.ndarray:
    """The drift of each piece, or one over it where that is more: (pieces,), at least 1."""
    drifts = np.array([drift(notes, seconds) for notes in pieces])
    sizes: np.ndarray = np.maximum(drifts, 1 / drifts)
    return sizes


def more_drift(new: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """How much larger the median of the new drifts is; "low" and "high" of its 95 % interval.

    By drawing the pieces of both sides anew; {} where a side has fewer than two.
    """
    if min(len(new), len(real)) < 2:
        return {}
    dice = np.random.default_rng(1)
    drawn = [
        np.median(each[dice.integers(len(each), size=(RESAMPLES, len(each)))], axis=1)
        for each in (new, real)
    ]
    low, high = np.quantile(drawn[0] - drawn[1], [0.025, 0.975])
    more = float(np.median(new) - np.median(real))
    return {"more": round(more, 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def unevenness(notes: np.ndarray, seconds: float) -> float:
    """How much the density comes and goes within half a minute, 0 where it stays.

    The mean over the whole 30 s windows of the first `seconds` of the standard deviation of the
    logarithm of notes per second (`LEAST` more) in the window's parts of 3 s.
    """
    parts = round(WINDOW_SECONDS / PART)
    count = int(seconds / WINDOW_SECONDS) * parts
    index = (notes[:, 0] / PART).astype(np.int64)
    dense = np.bincount(index[index < count], minlength=count) / PART
    return float(np.log(dense + LEAST).reshape(-1, parts).std(axis=1).mean()) if count else 0.0


def longest_silence(notes: np.ndarray, seconds: float) -> float:
    """The longest stretch of 0 to `seconds` in which no key sounds, in seconds."""
    order = np.argsort(notes[:, 0])
    start = np.append(notes[order, 0], seconds)
    heard = np.maximum.accumulate(np.concatenate([[0.0], notes[order, 1]]))
    return float(np.maximum(start - heard, 0.0).max())


def longest_wait(notes: np.ndarray, seconds: float) -> float:
    """The longest time of 0 to `seconds` in which no key is struck, in seconds."""
    return float(np.diff(np.sort(notes[:, 0]), prepend=0.0, append=seconds).max())


def repeats(notes: np.ndarray, seconds: float) -> tuple[int, int]:
    """Of the 4 s windows that begin with a struck key: how many came before, and how many."""
    struck = draw_roll(notes, 0.0, int(seconds * GRID), GRID)[:, ONSET] > 0
    rows, length = np.packbits(struck, axis=1), int(REPEAT * GRID)
    seen: set[bytes] = set()
    again = total = 0
    for first in np.flatnonzero(struck.any(axis=1)):
        if first + length > len(rows):
            break
        window = rows[first : first + length].tobytes()
        total += 1
        again += window in seen
        seen.add(window)
    return again, total


def figures(pieces: Sequence[np.ndarray], seconds: float, dense: np.ndarray) -> dict[str, Any]:
    """The figures of some pieces, (n, 4) each, of `seconds` s; `dense` are their densities."""
    found: dict[str, Any] = {"pieces": len(pieces)}
    if len(dense):
        found |= {f"p{p}": round(float(np.percentile(dense, p)), 2) for p in PERCENTILES}
    if not sum(map(len, pieces)):
        return found
    drifts = np.array([drift(notes, seconds) for notes in pieces])
    sizes = drift_sizes(pieces, seconds)
    again, total = np.sum([repeats(notes, seconds) for notes in pieces], axis=0)
    every = np.concatenate(pieces)
    high = np.concatenate([heights(notes, seconds) for notes in pieces])
    if len(high):
        found |= {f"pitch_p{p}": round(float(np.percentile(high, p)), 1) for p in PERCENTILES}
    return found | {
        "drift": round(float(np.median(drifts)), 3),
        "drift_size": round(float(np.median(sizes)), 3),
        "uneven": round(float(np.median([unevenness(notes, seconds) for notes in pieces])), 3),
        "longest_silence": round(max(longest_silence(notes, seconds) for notes in pieces), 2),
        "longest_wait": round(max(longest_wait(notes, seconds) for notes in pieces), 2),
        "note_seconds": round(float(np.median(every[:, 1] - every[:, 0])), 3),
        "velocity": round(float(every[:, 3].mean()), 1),
        "repeated": round(float(again / max(total, 1)), 5),
    }
