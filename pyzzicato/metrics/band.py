"""What music of five instruments is like: the measures of MuseGAN, variety, nearness of style.

Everything is measured on windows of codes, (n, 32, 5, 128) uint8 as `multitrack_roll` has them. A
bar is 16 steps, a beat 4, and a window begins with a bar of 4/4.

- `density`: struck notes a bar, by instrument.
- `empty_bars`: share of bars in which an instrument is silent.
- `pitch_classes`: different pitch classes (0 to 12) that sound in a bar, of bars that are not
  empty, by pitched instrument.
- `drum_pattern`: share of drum strokes on the eighths of the bar (the 8-beat pattern of rock in
  4/4); a stroke on a sixteenth between them counts a tenth.
- `tonal_distance`: how far two pitched instruments are apart in harmony: their chroma of each beat
  in which both sound, made to add up to 1, in the six-dimensional tonal space of Harte, Sandler
  and Gasser (2006, radii 1, 1 and 0.5); Euclidean, mean over beats. 0 is the same chroma.

Source: Dong, Hsiao, Yang and Yang, MuseGAN (AAAI 2018), section "Objective metrics"; the pattern
with its tolerance of a tenth as in their pypianoroll, at 4 steps a beat. Differs from their code
in: pitch classes are pitch modulo 12 (pypianoroll folds neighbouring pitches); held notes are not
struck again in every step; the pattern is not turned to where it fits best.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt

from pyzzicato.codecs.multitrack_roll import sounding, struck
from pyzzicato.metrics.scores import Measure, Score
from pyzzicato.music.instruments import DRUMS, INSTRUMENTS

__all__ = [
    "MEASURES",
    "PAIRS",
    "PITCHED",
    "STEPS_PER_BAR",
    "band_measures",
    "change",
    "feel_variety",
    "measured",
    "nearest_style",
    "repeat_last",
    "score",
    "style_features",
    "variety",
]

Floats = npt.NDArray[np.float64]

STEPS_PER_BAR, STEPS_PER_BEAT = 16, 4
TOLERANCE = 0.1
RESAMPLED = 1000  # times, for an interval
PITCHED = tuple(place for place in range(len(INSTRUMENTS)) if place != DRUMS)
PAIRS = tuple(combinations(PITCHED, 2))
MEASURES = (
    Measure("struck notes a bar", ".1f", "real"),
    Measure("empty bars", ".0%", "real"),
    Measure("pitch classes a bar", ".1f", "real"),
    Measure("strokes on the eighths", ".0%", "real"),
    Measure("tonal distance", ".2f", "real"),
    Measure("notes not as in the opening", ".0%", "real"),
)
"""Those of `band_measures` in words, and `change`."""


def band_measures(windows: np.ndarray) -> dict[str, Floats]:
    """Each measure of each window: (n, 5), (n, 5), (n, 4), (n, 1) and (n, 6), by name.

    NaN where a window has nothing to measure, such as no drums. Columns go by INSTRUMENTS, PITCHED
    and PAIRS.
    """
    bars = np.reshape(windows, (len(windows), -1, STEPS_PER_BAR, *windows.shape[2:]))
    begun, heard = struck(bars), sounding(bars)
    full = np.asarray(np.any(heard, axis=(2, 4)))  # (n, bars, 5)
    chroma = np.asarray(np.any(_folded(heard), axis=2))[:, :, list(PITCHED)]  # (n, bars, 4, 12)
    used = np.where(full[:, :, list(PITCHED)], chroma.sum(axis=3), np.nan)
    return {
        "density": begun.sum(axis=(2, 4)).mean(axis=1).astype(np.float64),
        "empty_bars": (~full).mean(axis=1),
        "pitch_classes": _mean(used, axis=1),
        "drum_pattern": _drum_pattern(begun[:, :, :, DRUMS])[:, None],
        "tonal_distance": _tonal_distances(windows),
    }


def score(values: np.ndarray, measure: str, by: str, group: str, rng_seed: int = 1) -> Score:
    """The mean of one figure a window, (n,), with its 95 % interval by resampling windows.

    It is None where no window has something to measure.
    """
    known = np.asarray(values, np.float64)[~np.isnan(values)]
    if not len(known):
        return Score(measure, None, by, group)
    rng = np.random.default_rng(rng_seed)
    means = known[rng.integers(0, len(known), (RESAMPLED, len(known)))].mean(axis=1)
    low, high = (round(float(end), 4) for end in np.percentile(means, [2.5, 97.5]))
    return Score(measure, round(float(known.mean()), 4), by, group, low=low, high=high)


def measured(before: np.ndarray, after: np.ndarray, by: str) -> dict[tuple[str, str], Score]:
    """Every measure of `after` and how new it is, by measure and instrument or pair of them."""
    pitched = [INSTRUMENTS[place] for place in PITCHED]
    pairs = [f"{INSTRUMENTS[one]} and {INSTRUMENTS[two]}" for one, two in PAIRS]
    groups = (INSTRUMENTS, INSTRUMENTS, pitched, [INSTRUMENTS[DRUMS]], pairs, ["All five"])
    every = (*band_measures(after).values(), change(before, after)[:, None])
    return {
        (measure.name, group): score(values[:, n], measure.name, by, group)
        for measure, names, values in zip(MEASURES, groups, every, strict=True)
        for n, group in enumerate(names)
    }


def repeat_last(windows: np.ndarray) -> np.ndarray:
    """The trivial baseline: what follows each window is the window again, held notes struck."""
    again = np.array(windows)
    first = again[:, 0]
    first[(first > 0) & (np.asarray(windows)[:, -1] == 0)] = 2
    return again


def variety(first: np.ndarray, second: np.ndarray | None = None) -> float:
    """The mean distance between any two windows of `first`, or of `first` and `second`, 0 to 1.

    Distance is the share of struck notes that only one of both has, of those that either has
    (Jaccard): 0 for the same notes at the same steps, 1 for none in common; two silences are 0.
    Of one set with fewer than two windows it is 0.
    """
    one = _bits(first)
    other = one if second is None else _bits(second)
    common = one @ other.T
    either = one.sum(axis=1)[:, None] + other.sum(axis=1) - common
    apart = np.where(either > 0, 1 - common / np.maximum(either, 1), 0.0)
    if second is None:
        apart = apart[np.triu_indices(len(one), 1)]
    return float(apart.mean()) if apart.size else 0.0


def change(before: np.ndarray, after: np.ndarray) -> Floats:
    """How far each window of `after` is from the one of `before` at its place, (n,), 0 to 1.

    The distance is that of `variety`: 0 for the same notes again, 1 for none in common.
    """
    one, other = _bits(before), _bits(after)
    common = (one * other).sum(axis=1, dtype=np.float64)
    either = one.sum(axis=1) + other.sum(axis=1) - common
    return np.where(either > 0, 1 - common / np.maximum(either, 1), 0.0)


def feel_variety(windows: np.ndarray) -> float:
    """The mean distance between any two windows in chroma and rhythm, 0 to 2; 0 below two windows.

    Distance is Euclidean between the `style_features` of each.
    """
    rows = [np.concatenate(style_features(window[None])) for window in windows]
    if len(rows) < 2:
        return 0.0
    found = np.stack(rows)
    squares = (found**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * found @ found.T, 0.0))
    return float(apart[np.triu_indices(len(found), 1)].mean())


def style_features(windows: np.ndarray) -> tuple[Floats, Floats]:
    """What windows of one piece are like together: chroma (12,) and rhythm (5 x 16,).

    Chroma is how often each pitch class sounds in the pitched instruments; rhythm how often each
    instrument strikes at each sixteenth of the bar. Both are of length 1, or 0 without notes.
    """
    bars = np.reshape(windows, (-1, STEPS_PER_BAR, *windows.shape[2:]))
    chroma = _folded(sounding(bars)[:, :, list(PITCHED)]).sum(axis=(0, 1, 2))
    rhythm = struck(bars).sum(axis=(0, 3)).T.reshape(-1)
    return _unit(chroma), _unit(rhythm)


def nearest_style(
    result: np.ndarray, styles: Mapping[str, np.ndarray], *, any_key: bool = False
) -> str:
    """The name of the style, of some given as windows, to which a result (windows) is nearest.

    Nearest by chroma and rhythm alike: the sum of both squared distances. With `any_key` the
    chroma counts in whichever transposition is nearest.
    """
    chroma, rhythm = style_features(result)
    turns = range(12) if any_key else range(1)

    def distance(windows: np.ndarray) -> float:
        theirs, beats = style_features(windows)
        apart = min(float(((np.roll(chroma, turn) - theirs) ** 2).sum()) for turn in turns)
        return apart + float(((rhythm - beats) ** 2).sum())

    return min(styles, key=lambda name: distance(styles[name]))


def _folded(heard: np.ndarray) -> np.ndarray:
    """(..., 128) of bool -> counts of each pitch class, (..., 12)."""
    padded = np.concatenate([heard, np.zeros((*heard.shape[:-1], 4), bool)], axis=-1)
    return np.asarray(padded.reshape(*heard.shape[:-1], 11, 12).sum(axis=-2))


def _drum_pattern(strokes: np.ndarray) -> Floats:
    """(n, bars, 16, 128) of bool -> (n,)."""
    by_step = strokes.sum(axis=(1, 3))
    weight = np.tile([1.0, TOLERANCE], STEPS_PER_BAR // 2)
    total = by_step.sum(axis=1)
    return np.where(total > 0, by_step @ weight / np.maximum(total, 1), np.nan)


def _tonal_distances(windows: np.ndarray) -> Floats:
    """(n, 32, 5, 128) -> (n, 6), by PAIRS."""
    beats = np.reshape(windows, (len(windows), -1, STEPS_PER_BEAT, *windows.shape[2:]))
    chroma = _folded(sounding(beats)).sum(axis=2).astype(np.float64)  # (n, beats, 5, 12)
    total = chroma.sum(axis=-1, keepdims=True)
    chroma = np.divide(chroma, total, out=np.full_like(chroma, np.nan), where=total > 0)
    placed = chroma @ _tonal_space().T
    apart = [np.linalg.norm(placed[:, :, a] - placed[:, :, b], axis=-1) for a, b in PAIRS]
    return _mean(np.stack(apart, axis=-1), axis=1)


def _tonal_space() -> Floats:
    """The circles of fifths, minor and major thirds, (6, 12)."""
    classes = np.arange(12)
    circles = ((1.0, 7 / 6), (1.0, 3 / 2), (0.5, 2 / 3))
    rows = [
        radius * turn(classes * angle * np.pi)
        for radius, angle in circles
        for turn in (np.sin, np.cos)
    ]
    return np.stack(rows)


def _mean(values: np.ndarray, axis: int) -> Floats:
    """The mean of what is not NaN; NaN where nothing is left."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _bits(windows: np.ndarray) -> npt.NDArray[np.float32]:
    """What is struck, a row a window; float32 counts are exact up to 16 million."""
    return struck(windows).reshape(len(windows), -1).astype(np.float32)


def _unit(values: np.ndarray) -> Floats:
    length = float(np.linalg.norm(values))
    return values / length if length else values.astype(np.float64)
