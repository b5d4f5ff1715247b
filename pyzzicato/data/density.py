"""How dense real music is: notes per second, composer by composer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pyzzicato.data.pieces import Piece

__all__ = [
    "COURSE_SECONDS",
    "EVERYBODY",
    "QUANTILES",
    "course_table",
    "density_table",
    "in_common",
    "steadiness_table",
    "window_densities",
    "window_ranks",
]

WINDOW_SECONDS = 30.0
COURSE_SECONDS = 15.0
QUANTILES = np.arange(0, 101, 5) / 100
EVERYBODY = ""  # the row of all composers together
FEWEST = 40  # windows; with fewer a composer has no row of its own
FEWEST_PIECES = 25  # performances; with fewer their steadiness is chance
NEAR, FAR = (1,), (4, 8)  # windows apart

Floats = npt.NDArray[np.float64]


def window_densities(piece: Piece, seconds: float = WINDOW_SECONDS) -> npt.NDArray[np.float64]:
    """Notes per second of a piece's whole windows of `seconds`, one after another: (windows,).

    The windows start at the first note and lie inside the piece: what remains at its end is not
    counted, and a piece that is shorter than a window has none. A note belongs where it starts.
    """
    if not seconds > 0:
        raise ValueError(f"a window lasts more than 0 seconds, not {seconds}")
    if not len(piece.notes):
        return np.empty(0)
    first = float(piece.notes[0, 0])
    count = int((piece.duration - first) / seconds)
    index = ((piece.notes[:, 0].astype(np.float64) - first) / seconds).astype(np.int64)
    return np.bincount(index[index < count], minlength=count) / seconds


def density_table(pieces: Iterable[Piece]) -> dict[str, dict[str, float]]:
    """By composer id: "p10", "p50" and "p90" of notes per second over real 30 s windows.

    "windows" is how many there were. Composers without one whole window are left out.
    """
    found: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    for piece in pieces:
        found[piece.composer].append(window_densities(piece))
    table = {}
    for composer, parts in sorted(found.items()):
        windows = np.concatenate(parts)
        if len(windows):
            p10, p50, p90 = (round(float(p), 3) for p in np.percentile(windows, [10, 50, 90]))
            table[composer] = {"p10": p10, "p50": p50, "p90": p90, "windows": len(windows)}
    return table


def course_table(pieces: Iterable[Piece]) -> dict[str, list[float]]:
    """By composer id the 21 `QUANTILES` of notes per second over 15 s windows; see `courses`.

    Only performances count, for scores are not played in time; the row "" is of everybody.
    """
    found: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    for piece in pieces:
        if piece.kind == "performance":
            windows = window_densities(piece, COURSE_SECONDS)
            found[piece.composer].append(windows)
            found[EVERYBODY].append(windows)
    table = {}
    for composer, parts in sorted(found.items()):
        windows = np.concatenate(parts)
        if len(windows) >= FEWEST:
            table[composer] = np.quantile(windows, QUANTILES).round(2).tolist()
    return table


def window_ranks(pieces: Iterable[Piece]) -> dict[str, list[Floats]]:
    """By composer id the 15 s windows of each performance as normal ranks among that composer's.

    Performances of fewer than three windows are left out.
    """
    found: dict[str, list[Floats]] = defaultdict(list)
    for piece in pieces:
        if piece.kind == "performance":
            windows = window_densities(piece, COURSE_SECONDS)
            if len(windows) > 2:
                found[piece.composer].append(windows)
    normal = np.vectorize(NormalDist().inv_cdf)
    ranks: dict[str, list[Floats]] = {}
    for composer, parts in sorted(found.items()):
        every = np.sort(np.concatenate(parts))
        sides = [
            [np.searchsorted(every, part, side) for side in ("left", "right")] for part in parts
        ]
        ranks[composer] = [normal((low + high) / 2 / len(every)) for low, high in sides]
    return ranks


def in_common(lines: Sequence[Floats], lag: int) -> float:
    """What ranks `lag` windows apart in a performance have in common: 1 for all, 0 for nothing."""
    pairs = [np.stack([line[:-lag], line[lag:]]) for line in lines if len(line) > lag]
    if not pairs:
        return 0.0
    one, other = np.concatenate(pairs, axis=1)
    return float((one * other).mean() / max(float((one**2 + other**2).mean()) / 2, 1e-9))


def steadiness_table(pieces: Iterable[Piece]) -> dict[str, list[float]]:
    """By composer id how alike windows of a performance are: [15 s apart, one to two minutes].

    0 where they have no more in common than any windows of that composer. The row "" is of all
    composers' windows, each ranked among its own composer's.
    """
    ranks = window_ranks(pieces)
    rows = {name: lines for name, lines in ranks.items() if len(lines) >= FEWEST_PIECES}
    everybody = [line for lines in ranks.values() for line in lines]
    if everybody:
        rows[EVERYBODY] = everybody
    return {
        name: [
            round(max(float(np.mean([in_common(lines, lag) for lag in lags])), 0.0), 2)
            for lags in (NEAR, FAR)
        ]
        for name, lines in sorted(rows.items())
    }
