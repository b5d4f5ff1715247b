"""How much of a piece stands note for note in the training music, for `minutes_long.py`.

    runs = TrainingRuns(pieces of the training split)
    runs.longest([notes, ...])         notes of the longest run of each piece that stands in it
    copying(new, real, runs, seconds)  the figures of new and of real pieces, side by side

A run is notes in a row, keys struck together from the lowest up, with the same intervals between
them as somewhere in the training music: whatever the key, the tempo and the rhythm. A scale or a
trill is such a run, too, so a figure means something only beside that of real pieces that were
not trained on. `passage` is what the app shows: the passage that `originality` finds, which may
differ from the known work in places.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pyzzicato.datasets import Piece
from pyzzicato.notes import Note, NoteSequence
from pyzzicato.originality import originality
from pyzzicato.passages import stream_of

LONGEST = 4096  # intervals of a run at most
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse of 64 bits
INVERSE = np.uint64(pow(int(FACTOR), -1, 2**64))
Repeats = Callable[[np.ndarray, float], tuple[int, int]]


class TrainingRuns:
    """The intervals of the training music, to be searched for runs of any length."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        dice = np.random.default_rng(1)
        # A number for each interval; between two pieces stands one that no other music has.
        self._numbers = dice.integers(2**64, size=256, dtype=np.uint64)
        borders = dice.integers(2**64, size=len(pieces), dtype=np.uint64)
        rows = [
            np.append(self._intervals(piece.notes), border)
            for piece, border in zip(pieces, borders, strict=True)
        ]
        self._known = _Sums(np.concatenate([np.zeros(0, np.uint64), *rows]))
        self._hashes: dict[int, np.ndarray] = {}

    def _intervals(self, notes: np.ndarray) -> np.ndarray:
        numbers: np.ndarray = self._numbers[np.diff(stream_of(notes).pitch) + 128]
        return numbers

    def longest(self, pieces: Sequence[np.ndarray]) -> list[int]:
        """Notes of the longest run of each piece, (n, 3 or more), that stands in the music."""
        sums = [_Sums(self._intervals(notes)) for notes in pieces]
        return [found + 1 if found else 0 for found in map(self._longest, sums)]

    def _longest(self, sums: _Sums) -> int:
        low, high = 0, 1
        while high <= LONGEST and self._stands(sums, high):
            low, high = high, high * 2
        while high - low > 1:  # a run of `low` intervals is there, one of `high` is not
            middle = (low + high) // 2
            low, high = (middle, high) if self._stands(sums, middle) else (low, middle)
        return low

    def _stands(self, sums: _Sums, length: int) -> bool:
        if length not in self._hashes:
            self._hashes[length] = np.sort(self._known.windows(length))
        known, wanted = self._hashes[length], sums.windows(length)
        place = np.searchsorted(known, wanted)
        inside = place < len(known)
        return bool((known[place[inside]] == wanted[inside]).any())


class _Sums:
    """Running sums of numbers times powers of FACTOR, from which any window's hash follows."""

    def __init__(self, numbers: np.ndarray) -> None:
        powers = np.cumprod(np.full(len(numbers), FACTOR))
        self._inverse = np.cumprod(np.full(len(numbers), INVERSE))
        self._sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(numbers * powers)])

    def windows(self, length: int) -> np.ndarray:
        """The hash of each `length` numbers in a row."""
        if length >= len(self._sums):
            return np.zeros(0, np.uint64)
        sums = self._sums[length:] - self._sums[:-length]
        found: np.ndarray = sums * self._inverse[: len(sums)]
        return found


def copying(
    new: Sequence[np.ndarray],
    real: Sequence[np.ndarray],
    runs: TrainingRuns,
    seconds: float,
    repeats: Repeats,
) -> dict[str, Any]:
    """Repeats and copies of new and of real pieces, (n, 4) each, of `seconds` s."""
    return {
        who: _figures(pieces, runs, seconds, repeats)
        for who, pieces in (("new", new), ("real", real))
    }


def _figures(
    pieces: Sequence[np.ndarray], runs: TrainingRuns, seconds: float, repeats: Repeats
) -> dict[str, Any]:
    pieces = [notes for notes in pieces if len(notes)]
    if not pieces:
        return {"pieces": 0}
    again, total = np.sum([repeats(notes, seconds) for notes in pieces], axis=0)
    reports = [originality(_sequence(notes)) for notes in pieces]
    for number, report in enumerate(reports):
        if report.copied:
            where = f"{report.notes} notes, from {report.start:.0f} to {report.end:.0f} s"
            known = f"{report.composer}, {report.title}"
            print(f"  piece {number} shares {where}, with {known}", file=sys.stderr)
    return {
        "pieces": len(pieces),
        "repeated": round(float(again / max(total, 1)), 5),
        "run": _spread(runs.longest(pieces)),
        "passage": _spread([report.notes for report in reports]),
        "copied": round(float(np.mean([report.copied for report in reports])), 4),
    }


def _spread(values: Sequence[int]) -> dict[str, float]:
    """Median, 90th percentile and the most, in notes."""
    median, high = np.percentile(values, [50, 90])
    return {"median": float(median), "p90": round(float(high), 1), "longest": int(max(values))}


def _sequence(notes: np.ndarray) -> NoteSequence:
    return NoteSequence(tuple(Note(s, e, int(p), int(v)) for s, e, p, v in notes.tolist()))


def copies_in_lines(found: dict[str, Any]) -> list[str]:
    """The figures as lines to read."""
    rows = [f"{'':<12}{'pieces':>8}{'repeated':>10}  longest run, passage (median, 90 %, most)"]
    for who, row in found.items():
        if not row["pieces"]:
            print(f"there are no {who} pieces of that length", file=sys.stderr)
            continue
        cells = [
            f"{each['median']:.0f}, {each['p90']:.0f}, {each['longest']} notes"
            for each in (row["run"], row["passage"])
        ]
        rows.append(
            f"{who:<12}{row['pieces']:>8}{row['repeated']:>10.3%}  {cells[0]}; {cells[1]}; "
            f"{row['copied']:.0%} said to be copied"
        )
    return rows
