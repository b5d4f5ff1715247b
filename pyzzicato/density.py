"""How dense real music is: notes per second, composer by composer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from pyzzicato.datasets import Piece

__all__ = ["EVERYBODY", "QUANTILES", "course_table", "density_table", "window_densities"]

WINDOW_SECONDS = 30.0
COURSE_SECONDS = 15.0
QUANTILES = np.arange(0, 101, 5) / 100
EVERYBODY = ""  # the row of all composers together
FEWEST = 40  # windows; with fewer a composer has no row of its own


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
