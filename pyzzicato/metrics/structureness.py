"""Structureness: how clearly stretches of a piece come back, by how long they are.

    structureness(sequence, seconds=60)        {"3-8": 0.31, "8-15": 0.22, "15+": 0.05}

A piece is made a self-similarity matrix of its harmony, one row each half second. Every stretch
gets a *fitness*, 0 to 1: how well the piece is covered by repetitions of it, and how good they
are, without the trivial one, the stretch itself. The figure for 3-8 is the largest fitness of all
stretches of 3 to 8 seconds, and so on.

Source: Wu and Yang, "The Jazz Transformer on the front line" (ISMIR 2020), SI; fitness: Müller,
Jiang and Grosche (IEEE TASLP 21, 2013). Differs from them in that the harmony is counted from
notes instead of recorded sound, that it is smoothed along the diagonal at one tempo (repetitions
may still be up to twice as fast or slow, in the paths), and that stretches longer than half the
piece are left out, for they cannot come back whole. So a piece needs twice the shortest stretch
of a range, 6, 16 and 30 seconds; a shorter one, or one without notes, has None there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from pyzzicato.music.notes import NoteSequence

__all__ = ["RANGES", "fitness", "self_similarity", "structureness"]

Floats = npt.NDArray[np.float64]

RATE = 2  # rows a second
WIDE = 5  # rows over which harmony is averaged
SMOOTH = 8  # steps along the diagonal that are averaged
SHARE = 0.15  # of the matrix that counts as alike
PENALTY = -2.0  # for a step where it is not
LONGEST = 180.0  # seconds that are read; the time needed grows with the fourth power
RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"3-8": (3.0, 8.0), "8-15": (8.0, 15.0), "15+": (15.0, math.inf)}
)


def structureness(sequence: NoteSequence, seconds: float | None = None) -> dict[str, float | None]:
    """The largest fitness in each of RANGES, 0 to 1, or None where the piece is too short for it.

    `seconds` is how long the piece was meant to be, None where its last note ends; beyond
    LONGEST nothing is read.
    """
    length = min(sequence.duration if seconds is None else seconds, LONGEST)
    matrix = self_similarity(sequence, length)
    found: dict[str, float | None] = {}
    for name, (low, high) in RANGES.items():
        longest = math.ceil(min(high * RATE, len(matrix) // 2 + 1)) - 1
        sizes = range(math.ceil(low * RATE), longest + 1)
        best = [float(fitness(matrix, size).max()) for size in sizes]
        found[name] = max(best) if best and matrix.any() else None
    return found


def self_similarity(sequence: NoteSequence, seconds: float) -> Floats:
    """How alike any two moments are, (rows, rows): 1 the same, down to 0, or PENALTY.

    Moments are alike where their harmonies are, in any key, now and over the next seconds; of the
    matrix the SHARE that is most alike counts, scaled to 0 to 1. All zeros without notes.
    """
    chroma = _chroma(sequence, seconds)
    if not chroma.any():
        return np.zeros((len(chroma), len(chroma)))
    # The same music a few semitones higher is alike too.
    keys = [_along_diagonal(chroma @ np.roll(chroma, shift, axis=1).T) for shift in range(12)]
    alike = np.max(keys, axis=0)
    level = float(np.quantile(alike, 1 - SHARE))
    above = float(alike.max()) - level
    scaled = (alike - level) / above if above > 1e-9 else np.ones_like(alike)
    matrix: Floats = np.where(alike >= level, np.minimum(scaled, 1.0), PENALTY)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def _chroma(sequence: NoteSequence, seconds: float) -> Floats:
    """The harmony twice a second, (rows, 12): sounding times, averaged, of length 1 or silent."""
    rows = max(int(seconds * RATE), 0)
    time = np.zeros((rows, 12))
    for note in sequence:
        if note.is_drum:
            continue
        start, end = note.start * RATE, min(note.end * RATE, rows)
        for row in range(int(start), math.ceil(end)):
            time[row, note.pitch % 12] += min(end, row + 1) - max(start, row)
    if not time.any():
        return time
    around = np.ones(WIDE) / WIDE
    wide = [np.convolve(time[:, tone], around)[WIDE // 2 :][:rows] for tone in range(12)]
    averaged = np.array(wide).T.reshape(rows, 12)
    size = np.linalg.norm(averaged, axis=1, keepdims=True)
    even: Floats = np.divide(averaged, size, out=np.zeros_like(averaged), where=size > 1e-9)
    return even


def _along_diagonal(matrix: Floats) -> Floats:
    """Means over the next and over the last SMOOTH steps of both, whichever is larger."""
    size, forward, backward = len(matrix), np.zeros_like(matrix), np.zeros_like(matrix)
    count, back = np.zeros_like(matrix), np.zeros_like(matrix)
    for step in range(min(SMOOTH, size)):
        rest = size - step
        forward[:rest, :rest] += matrix[step:, step:]
        count[:rest, :rest] += 1
        backward[step:, step:] += matrix[:rest, :rest]
        back[step:, step:] += 1
    larger: Floats = np.maximum(forward / count, backward / back)
    return larger


def fitness(matrix: Floats, size: int) -> Floats:
    """The fitness of every stretch of `size` rows, (rows - size + 1,), 0 to 1.

    A path may cross a stretch at half to twice its speed, and paths do not overlap; the best set
    of them is found as in Müller et al., all stretches of one size at once, and how much it
    covers and how long it is are counted on the way.
    """
    rows = len(matrix)
    count = rows - size + 1
    if count < 1:
        return np.zeros(0)
    # (rows, stretches, columns): row `n` of the part of the matrix above each stretch.
    part = np.lib.stride_tricks.sliding_window_view(matrix, size, axis=1)
    score, covered, length = _paths(part)
    score_each = (score - size) / np.maximum(length, 1)
    covered_each = (covered - size) / rows
    both = score_each + covered_each
    found = np.divide(2 * score_each * covered_each, both, out=np.zeros(count), where=both > 1e-12)
    return np.clip(found, 0.0, 1.0)


def _paths(part: Floats) -> tuple[Floats, Floats, Floats]:
    """Score, rows covered and cells of the best set of paths, for each stretch."""
    rows, count, size = part.shape
    # Of each cell: score so far; and, in one number, rows covered before its path, cells so far
    # and where it began: whole numbers far below 2 ** 53, which is exact and saves two thirds.
    last, before, cell = (_Cells.nothing(count, size) for _ in range(3))
    rest, rest_told = np.zeros(count), np.zeros(count)  # the same, outside all paths
    worse = np.empty((count, size), np.bool_)
    for row in range(rows):
        if row:
            _end(last, row - 1, rest, rest_told)
        score, told = cell.score, cell.told
        score[:, 0], told[:, 0] = rest, rest_told + row
        score[:, 1:], told[:, 1:] = last.score[:, :-1], last.told[:, :-1]
        for other, step in ((last, 2), (before, 1)):
            better, from_score = worse[:, step:], other.score[:, :-step]
            np.greater(from_score, score[:, step:], out=better)
            np.copyto(score[:, step:], from_score, where=better)
            np.copyto(told[:, step:], other.told[:, :-step], where=better)
        score += part[row]
        told += _CELL
        last, before, cell = cell, last, before
    _end(last, rows - 1, rest, rest_told)
    covered, cells = np.divmod(rest_told, _COVERED)
    return rest, covered, cells // _CELL


_CELL, _COVERED = 2.0**10, 2.0**30  # the places of cells and of rows covered; rows begin at 1


@dataclass
class _Cells:
    """One row of every stretch, (stretches, columns) each; see `_paths`."""

    score: Floats
    told: Floats

    @classmethod
    def nothing(cls, count: int, size: int) -> _Cells:
        return cls(np.full((count, size), -np.inf), np.zeros((count, size)))


def _end(cells: _Cells, row: int, rest: Floats, told: Floats) -> None:
    """Where it is worth it, the paths that reached the last column at `row` are over."""
    score, found = cells.score[:, -1], cells.told[:, -1]
    better = score > rest
    # Rows covered grow by the path's own, and its beginning is told no longer.
    began = found % _CELL
    np.copyto(told, found - began + (row - began + 1) * _COVERED, where=better)
    np.copyto(rest, score, where=better)
