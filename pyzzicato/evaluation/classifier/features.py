"""What a clip shows of its composer's hand, as a row of numbers for the composer classifier.

    composer_features(sequence)        (WIDTH,) float32, or None below FEWEST notes

Registers; chords as they stand above their bass; the lines of the highest and lowest keys and of
either hand, step by step, in pairs of steps and in shapes of four keys; the tones of the key and
how they follow each other; harmony by the second; rhythm, texture, repetition. Loudness, pedal
and the lengths of notes are left out, and chords are gathered within a few hundredths of a
second: those would tell who played or recorded, not who composed. Drums are left out. Numbers are
square roots of shares, so that what is rare counts too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pyzzicato.evaluation.classifier.lines import (
    KINDS,
    STEP,
    Line,
    contours,
    figures,
    hands,
    rhythms,
    shares,
    steps,
    turns,
)
from pyzzicato.music.notes import NoteSequence

__all__ = ["FEWEST", "WIDTH", "composer_features", "features_of"]

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

FEWEST = 20  # notes
TIMES = np.geomspace(0.05, 3.0, 11)  # seconds, borders of classes
REGISTERS = 22  # of four keys each
SPAN = 16  # semitones, the largest span of a hand that is told apart
ABOVE = 36  # semitones above the bass that are told apart
LAGS = (1, 2, 3, 4, 6, 8)  # chords after which a line may come back to the same key
WINDOWS = (0.5, 1.0)  # seconds, in which harmony is looked at
LONG = 3.0  # seconds, in which only the number of tones is counted
HASHES = 256  # places for the sets of tones above a bass
# Krumhansl and Kessler (1982): how well each tone fits a major and a minor key.
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
_HARMONY = len(WINDOWS) * (13 + 12 + 66 + 12 + 2) + HASHES + 13
WIDTH = (
    3 * REGISTERS + 24 + ABOVE + 1 + 2 * (SPAN + 1 + 6 + 1) + 10 * (2 * STEP + 1) + 3 * KINDS**2
    + 2 * 3**5 + 144 + 9 + 62 + 2 * 144 + _HARMONY + 3 * (len(TIMES) + 1) + 3 * (7 + 25 + 125)
    + 8 + 25 + 6 * len(LAGS) + 1 + 12
)  # fmt: skip


def composer_features(sequence: NoteSequence) -> npt.NDArray[np.float32] | None:
    """The features of a clip of some 20 seconds; None where it has too few notes to tell."""
    rows = [(n.start, n.end, n.pitch) for n in sequence if not n.is_drum]
    return features_of(np.array(rows, np.float64).reshape(-1, 3))


def features_of(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32] | None:
    """The same for rows (n, 3 or more) of start, end, pitch, sorted by start, then by end."""
    if len(rows) < FEWEST:
        return None
    start, pitch = rows[:, 0].astype(np.float64), rows[:, 2].astype(np.int64)
    upper = hands(start, pitch)
    whole = Line.of(start, pitch)
    right, left = Line.of(start[upper], pitch[upper]), Line.of(start[~upper], pitch[~upper])
    lines = (whole, right, left)
    parts = [
        *(_registers(keys) for keys in (pitch, whole.top, whole.low)),
        *_above_the_bass(whole),
        *(part for hand in (right, left) for part in _hand(hand)),
        *(steps(line) for line in (whole.top, whole.low, whole.top[::2], whole.low[::2])),
        *(steps(line) for line in (right.top, right.top[::2])),
        *(steps(left.low[::stride]) for stride in (1, 2, 3, 4)),
        *(figures(line) for line in (right.top, left.low, whole.key)),
        *(contours(line) for line in (right.top, left.low)),
        *_together(whole),
        *_in_key(pitch, whole, right, left),
        *_harmony(start - start[0], pitch),
        *(shares(np.searchsorted(TIMES, np.diff(line.time)), len(TIMES) + 1) for line in lines),
        *(rhythms(line.time) for line in lines),
        shares(np.minimum(whole.size, 8) - 1, 8),
        turns(np.minimum(whole.size, 5) - 1, 5),
        _repetition(lines),
        _numbers(start, pitch, whole, right, left),
    ]
    found = np.concatenate(parts)
    return (np.sign(found) * np.sqrt(np.abs(found))).astype(np.float32)


def _registers(keys: Whole) -> Floats:
    return shares(np.clip((keys - 21) // 4, 0, REGISTERS - 1), REGISTERS)


def _above_the_bass(line: Line) -> list[Floats]:
    """Intervals between neighbours in chords, and above the bass without and with octaves."""
    neighbours = np.diff(line.key)[np.diff(line.chord) == 0]
    above = line.key - line.low[line.chord]
    above = above[above > 0]
    return [
        shares(neighbours % 12, 12),
        shares(above % 12, 12),
        shares(np.minimum(above, ABOVE), ABOVE + 1),
    ]


def _hand(line: Line) -> list[Floats]:
    """Spans and sizes of a hand's chords, and the share of octaves among two keys and more."""
    span = line.top - line.low
    octaves = np.mean(span[line.size > 1] == 12) if (line.size > 1).any() else 0.0
    return [
        shares(np.minimum(span, SPAN), SPAN + 1),
        shares(np.minimum(line.size, 6) - 1, 6),
        np.array([octaves]),
    ]


def _together(line: Line) -> list[Floats]:
    """How intervals of the outer keys follow each other, and whether both move alike."""
    outer = ((line.top - line.low) % 12)[line.size > 1]
    up, down = (np.sign(np.diff(keys)) + 1 for keys in (line.top, line.low))
    return [turns(outer, 12), shares(up * 3 + down, 9)]


def _in_key(pitch: Whole, whole: Line, right: Line, left: Line) -> list[Floats]:
    """Tones counted from the key that fits best, which mode it is, and how tones go on."""
    tones = shares(pitch % 12, 12)
    fits = np.array([
        [_correlation(np.roll(tones, -root), profile) for root in range(12)]
        for profile in (MAJOR, MINOR)
    ])  # fmt: skip
    mode, root = divmod(int(fits.argmax()), 12)
    tones = np.roll(tones, -root)
    by_mode = np.zeros((2, 12))
    by_mode[mode] = tones
    counted = [(line - root) % 12 for line in (whole.low, whole.top, right.top, left.low)]
    return [
        tones, by_mode.ravel(), fits.max(axis=1), shares(counted[0], 12), shares(counted[1], 12),
        turns(counted[2], 12), turns(counted[3], 12),
    ]  # fmt: skip


def _correlation(one: Floats, other: Floats) -> float:
    a, b = one - one.mean(), other - other.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / size) if size > 0 else 0.0


def _harmony(time: Floats, pitch: Whole) -> list[Floats]:
    """Tones in short windows as they stand above the lowest key there, and what follows."""
    found = []
    for seconds in WINDOWS:
        tones, bass = _windows(time, pitch, seconds)
        turned = (np.arange(12) + bass[:, None]) % 12
        above = np.take_along_axis(tones, turned, axis=1).astype(np.float64)
        pairs = above.T @ above / len(above)
        kept = (tones[1:] & tones[:-1]).sum(axis=1) / (tones[1:] | tones[:-1]).sum(axis=1)
        found += [
            shares(tones.sum(axis=1), 13), above.mean(axis=0), pairs[np.triu_indices(12, 1)],
            shares(np.diff(bass) % 12, 12),
            np.array([kept.mean(), kept.std()]) if len(kept) else np.zeros(2),
        ]  # fmt: skip
    # Fibonacci hashing of the set of tones in the longest of the windows.
    sets = (above @ 2.0 ** np.arange(12)).astype(np.int64) * 2654435761 % 2**32
    tones, _ = _windows(time, pitch, LONG)
    return [*found, shares(sets * HASHES >> 32, HASHES), shares(tones.sum(axis=1), 13)]


def _windows(time: Floats, pitch: Whole, seconds: float) -> tuple[npt.NDArray[np.bool_], Whole]:
    """Which tones are struck in windows that are not empty, (windows, 12), and the lowest key."""
    window = (time / seconds).astype(np.int64)
    tones = np.zeros((int(window[-1]) + 1, 12), np.bool_)
    tones[window, pitch % 12] = True
    bass = np.full(len(tones), 128)
    np.minimum.at(bass, window, pitch)
    struck = bass < 128
    return tones[struck], bass[struck]


def _repetition(lines: tuple[Line, ...]) -> Floats:
    """How often a line comes back to a key after some chords; variety of the upper line."""
    found = [
        float(np.mean(keys[lag:] == keys[:-lag])) if len(keys) > lag else 0.0
        for line in lines
        for keys in (line.top, line.low)
        for lag in LAGS
    ]
    melody = np.diff(lines[1].top)
    fours = {tuple(melody[n : n + 4].tolist()) for n in range(len(melody) - 3)}
    return np.array([*found, len(fours) / max(len(melody) - 3, 1)])


def _numbers(start: Floats, pitch: Whole, whole: Line, right: Line, left: Line) -> Floats:
    """Density, height, breadth and movement."""
    span = max(float(np.ptp(start)), 1.0)
    by_two = np.bincount(((start - start[0]) / 2).astype(np.int64))
    moves = [np.abs(np.diff(keys)).sum() / max(len(keys) - 1, 1) for keys in (whole.top, whole.low)]
    return np.array([
        np.log(len(pitch) / span), np.log(len(whole.time) / span), np.log(by_two + 1.0).std(),
        whole.top.mean() / 12, whole.low.mean() / 12, np.ptp(pitch) / 12,
        whole.top.std() / 12, whole.low.std() / 12, moves[0] / 12, moves[1] / 12,
        len(right.key) / max(len(right.key) + len(left.key), 1),
        np.log((len(right.time) + 1) / (len(left.time) + 1)),
    ])  # fmt: skip
