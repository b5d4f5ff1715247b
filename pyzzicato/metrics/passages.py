"""Passages that two pieces share, whatever key or tempo they are played in.

Runs of a few notes are described by what stays when music is transposed or played at another
tempo, hashed, and looked up in an index of known works; a passage is found where many hashes
lie in the same order and at the same distance in both. Four kinds of run vote:

- all notes: the intervals of 4 notes in a row, keys struck together from the lowest up;
- sets: 6 notes in a row in any order, so that a chord spread otherwise does no harm;
- top and bottom line: 4 highest (lowest) notes of what is struck together, with their rhythm
  as ratios of the times between them in three classes (shorter, alike, longer).

More than half of the hashes are kept, chosen by their value, so the same ones in both places.
An index holds 16 bits of each and the number of notes between them: no music. The ideas are
from Wang (ISMIR 2003: hashes that vote for one alignment) and Arzt, Böck and Widmer (ISMIR
2012: the same for notes at any tempo); differs from them in the kinds of run, and in that
intervals count instead of pitches.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pyzzicato.errors import PyzzicatoError

__all__ = [
    "REAL_SECONDS",
    "Index",
    "Passage",
    "Recording",
    "Stream",
    "build_index",
    "find_passage",
    "read_index",
    "stream_of",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint16]

TOGETHER = 0.035  # seconds within which keys count as struck together
ALL_NOTES, SET_NOTES, LINE_NOTES = 4, 6, 4
ALIKE = 1.7  # times between notes are alike up to this ratio
KEPT = 144  # hashes that are kept, of 256
COMMON = 600  # a hash that stands in the index more often says nothing
RARE = 9.0, 16.0  # bits: a hash of the first or less weighs nothing, of the second or more 1
AGAIN, RECENT = 0.1, 100  # weight of a hash that came at most so many hashes before
MISS = 0.07  # what a missing hash costs, of what a found one gains
BAND = 24  # notes by which two hashes of one passage may be displaced
CANDIDATES = 200  # alignments that are looked at closely
PART = 2000  # hashes that are looked up at once; half of them again with the next part
_WIDE = 2**22  # more notes than any recording has
REAL_SECONDS = (15.0, 30.0, 60.0, 120.0, 240.0, 480.0)  # lengths of the excerpts of real works


class Recording(NamedTuple):
    """One playing of a work: `notes` (n, 3 or more) are start s, end s, pitch."""

    work: str
    composer: str
    title: str
    notes: npt.NDArray[np.floating]


class Stream(NamedTuple):
    """Notes in reading order, by group of keys struck together, then by pitch: four times (n,)."""

    start: Floats
    end: Floats
    pitch: Ints
    group: Ints


class Passage(NamedTuple):
    """A stretch of a stream: numbers of its first and last note, its work in the index.

    `score` adds up how rare the hashes are that it shares, less what is missing between them.
    """

    score: float
    first: int
    last: int
    work: int

    @property
    def notes(self) -> int:
        """How many notes it has."""
        return self.last + 1 - self.first


class _Runs(NamedTuple):
    """Kept hashes of a stream, in order: 16 bits, numbers of the first and last note."""

    value: Hashes
    first: Ints
    last: Ints


@dataclass(frozen=True, eq=False)
class Index:
    """The hashes of known works; made by `build_index` or `read_index`, never changed.

    `values` (n,) are the hashes by recording and position, `steps` (n,) the notes from the one
    before, `counts` the hashes of each recording, `work_of` the work of each recording;
    `works`, `composers` and `titles` are one text a work. `real_scores` and `real_notes`
    (6, 101) are percentiles of what excerpts of real works, of REAL_SECONDS each, share with
    the other works of their composer; infinite where they were not measured.
    """

    values: Hashes
    steps: npt.NDArray[np.uint16]
    counts: Ints
    work_of: Ints
    works: tuple[str, ...]
    composers: tuple[str, ...]
    titles: tuple[str, ...]
    real_scores: Floats = field(default_factory=lambda: np.full((len(REAL_SECONDS), 101), np.inf))
    real_notes: Floats = field(default_factory=lambda: np.full((len(REAL_SECONDS), 101), np.inf))
    # One number for each of millions of hashes: 32 bits, and only what cannot be looked up.
    _order: npt.NDArray[np.int32] = field(init=False, repr=False)
    _bounds: Ints = field(init=False, repr=False)
    _position: npt.NDArray[np.int32] = field(init=False, repr=False)
    _ends: Ints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.values) != len(self.steps) or len(self.values) != self.counts.sum():
            raise ValueError("an index needs one step for each hash, and as many as are counted")
        bounds = np.zeros(2**16 + 1, np.int64)
        np.cumsum(np.bincount(self.values, minlength=2**16), out=bounds[1:])
        ends = np.cumsum(self.counts)
        position = np.empty(len(self.steps), np.int32)
        for end, count in zip(ends, self.counts, strict=True):
            np.cumsum(self.steps[end - count : end], out=position[end - count : end])
        order = np.argsort(self.values, kind="stable").astype(np.int32)
        object.__setattr__(self, "_order", order)
        object.__setattr__(self, "_bounds", bounds)
        object.__setattr__(self, "_position", position)
        object.__setattr__(self, "_ends", ends)

    def weights(self, values: Hashes) -> Floats:
        """How much finding each hash says, 0 (stands everywhere) to 1 (rare)."""
        found = self._bounds[values.astype(np.int64) + 1] - self._bounds[values]
        bits = np.log2(max(len(self.values), 2**16) / np.maximum(found, 1))
        weight = np.clip((bits - RARE[0]) / (RARE[1] - RARE[0]), 0.0, 1.0)
        return np.where(found > COMMON, 0.0, weight)

    def find(self, values: Hashes) -> tuple[Ints, Ints, Ints]:
        """Where `values` stand: number in `values`, recording, position; common ones left out."""
        low = self._bounds[values]
        found = self._bounds[values.astype(np.int64) + 1] - low
        found[found > COMMON] = 0
        number = np.repeat(np.arange(len(values)), found)
        offset = np.arange(len(number)) - np.repeat(np.cumsum(found) - found, found)
        place = self._order[np.repeat(low, found) + offset]
        recording = np.searchsorted(self._ends, place, side="right")
        return number, recording, self._position[place].astype(np.int64)

    def save(self, path: Path) -> None:
        """Write the index to `path`, compressed."""
        np.savez_compressed(
            path,
            values=self.values,
            steps=self.steps,
            counts=self.counts.astype(np.int32),
            work_of=self.work_of.astype(np.int32),
            works=np.array(self.works),
            composers=np.array(self.composers),
            titles=np.array(self.titles),
            real_scores=self.real_scores,
            real_notes=self.real_notes,
        )


def build_index(recordings: Iterable[Recording]) -> Index:
    """An index of `recordings`; several of one work keep the composer and title of the first."""
    works: dict[str, tuple[int, str, str]] = {}
    values, steps, counts, work_of = [], [], [], []
    for recording in recordings:
        entry = (len(works), recording.composer, recording.title)
        work_of.append(works.setdefault(recording.work, entry)[0])
        runs = _runs(stream_of(recording.notes))
        values.append(runs.value)
        steps.append(np.diff(runs.first, prepend=0).clip(0, 2**16 - 1).astype(np.uint16))
        counts.append(len(runs.value))
    empty = np.zeros(0, np.uint16)
    return Index(
        values=np.concatenate([empty, *values]),
        steps=np.concatenate([empty, *steps]),
        counts=np.array(counts, np.int64),
        work_of=np.array(work_of, np.int64),
        works=tuple(works),
        composers=tuple(entry[1] for entry in works.values()),
        titles=tuple(entry[2] for entry in works.values()),
    )


def read_index(path: Path) -> Index:
    """The index in the file `path`; raises PyzzicatoError where it is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return Index(
                values=kept["values"],
                steps=kept["steps"],
                counts=kept["counts"].astype(np.int64),
                work_of=kept["work_of"].astype(np.int64),
                works=tuple(kept["works"].tolist()),
                composers=tuple(kept["composers"].tolist()),
                titles=tuple(kept["titles"].tolist()),
                real_scores=kept["real_scores"],
                real_notes=kept["real_notes"],
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        raise PyzzicatoError(
            f"{path.name}, the index of the training music, cannot be read: "
            "install Pyzzicato again."
        ) from None


def stream_of(notes: npt.NDArray[np.floating]) -> Stream:
    """Notes (n, 3 or more) of start, end, pitch in reading order, each key once a group."""
    order = np.lexsort((notes[:, 2], notes[:, 0]))
    rows = notes[order].astype(np.float64)
    group, number, begin = np.zeros(len(rows), np.int64), -1, -np.inf
    for row, start in enumerate(rows[:, 0].tolist()):
        if start - begin > TOGETHER:
            number, begin = number + 1, start
        group[row] = number
    pitch = rows[:, 2].astype(np.int64)
    order = np.lexsort((pitch, group))
    rows, pitch, group = rows[order], pitch[order], group[order]
    keep = np.ones(len(rows), np.bool_)
    keep[1:] = (np.diff(group) != 0) | (np.diff(pitch) != 0)
    return Stream(rows[keep, 0], rows[keep, 1], pitch[keep], group[keep])


def _hash(kind: int, columns: Iterable[Ints], length: int) -> npt.NDArray[np.uint64]:
    """One hash for each row of `columns`, 64 bits, mixed as in splitmix64."""
    value = np.full(length, kind, np.uint64)
    for column in columns:
        value = value * np.uint64(0x9E3779B97F4A7C15) + column.astype(np.uint64)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            value = (value ^ (value >> np.uint64(shift))) * np.uint64(factor)
        value ^= value >> np.uint64(31)
    return value


def _steps_of(pitch: Ints, notes: int) -> list[Ints]:
    """The intervals between neighbours in each run of `notes` notes, one column each."""
    step, count = np.diff(pitch), len(pitch) - notes + 1
    return [step[k : k + count] for k in range(notes - 1)]


def _lines(stream: Stream, kind: int) -> tuple[npt.NDArray[np.uint64], Ints, Ints]:
    """Hashes of the top (kind 4) or bottom line (kind 3), first and last notes of the runs."""
    begin = np.flatnonzero(np.diff(stream.group, prepend=-1))
    end = np.append(begin[1:], len(stream.pitch)) - 1
    time = np.maximum(np.diff(stream.start[begin]), 1e-3)
    ratio = time[1:] / time[:-1]
    rhythm = (ratio > ALIKE).astype(np.int64) - (ratio < 1 / ALIKE)
    count = len(begin) - LINE_NOTES + 1
    columns = _steps_of(stream.pitch[end if kind == 4 else begin], LINE_NOTES)
    columns += [rhythm[k : k + count] for k in range(LINE_NOTES - 2)]
    return _hash(kind, columns, count), begin[:count], end[LINE_NOTES - 1 :]


def _runs(stream: Stream) -> _Runs:
    """The kept hashes of all four kinds, by their first note."""
    kinds: list[tuple[npt.NDArray[np.uint64], Ints, Ints]] = []
    pitch, length = stream.pitch, len(stream.pitch)
    if length >= ALL_NOTES:
        first = np.arange(length - ALL_NOTES + 1)
        hashed = _hash(1, _steps_of(pitch, ALL_NOTES), len(first))
        kinds.append((hashed, first, first + ALL_NOTES - 1))
    if length >= SET_NOTES:
        first = np.arange(length - SET_NOTES + 1)
        sets = np.sort(np.lib.stride_tricks.sliding_window_view(pitch, SET_NOTES), axis=1)
        hashed = _hash(2, list(np.diff(sets, axis=1).T), len(first))
        kinds.append((hashed, first, first + SET_NOTES - 1))
    if length and stream.group[-1] + 1 >= LINE_NOTES:
        kinds += [_lines(stream, 3), _lines(stream, 4)]
    if not kinds:
        return _Runs(np.zeros(0, np.uint16), np.zeros(0, np.int64), np.zeros(0, np.int64))
    hashed, first, last = (np.concatenate(parts) for parts in zip(*kinds, strict=True))
    keep = np.flatnonzero((hashed >> np.uint64(40)) & np.uint64(255) < KEPT)
    keep = keep[np.argsort(first[keep], kind="stable")]
    return _Runs(hashed[keep].astype(np.uint16), first[keep], last[keep])


def find_passage(
    stream: Stream, index: Index, allowed: npt.NDArray[np.bool_] | None = None
) -> Passage | None:
    """The passage of `stream` with the highest score, None where it shares nothing.

    `allowed` (works,) says which of the index's works are looked at; None is all of them.
    """
    runs = _runs(stream)
    weight = index.weights(runs.value) * _fresh(runs.value)
    best: Passage | None = None
    joined: Passage | None = None
    for begin in range(0, max(len(weight) - PART // 2, 1), PART // 2):
        part = slice(begin, begin + PART)
        there = _Runs(runs.value[part], runs.first[part], runs.last[part])
        found = _search(there, weight[part], index, allowed)
        joined = _join(joined, found)
        if joined is not None and (best is None or joined.score > best.score):
            best = joined
    return best


def _join(before: Passage | None, after: Passage | None) -> Passage | None:
    """The passages of two parts as one where they overlap in one work, otherwise the second."""
    if before is None or after is None or before.work != after.work or after.first > before.last:
        return after
    new = max(0, after.last - before.last) / after.notes
    first, last = min(before.first, after.first), max(before.last, after.last)
    return Passage(before.score + after.score * new, first, last, before.work)


def _search(
    runs: _Runs, weight: Floats, index: Index, allowed: npt.NDArray[np.bool_] | None
) -> Passage | None:
    number, recording, position = index.find(runs.value)
    if allowed is not None:
        keep = allowed[index.work_of[recording]]
        number, recording, position = number[keep], recording[keep], position[keep]
    spent, best = np.cumsum(weight), None
    line = position - runs.first[number] + _WIDE * recording + _WIDE // 2
    # Bands overlap by half, so that no passage is cut by the border of one.
    for shift in (0, BAND // 2):
        for hit, at in _bands((line + shift) // BAND, number, weight):
            if best is not None and weight[hit].sum() <= best.score:
                break
            score, low, high = _best_stretch(weight[hit], spent[hit])
            if score > 0 and (best is None or score > best.score):
                first, last = runs.first[hit[low]], runs.last[hit[low : high + 1]].max()
                work = index.work_of[at * BAND // _WIDE]
                best = Passage(score, int(first), int(last), int(work))
    return best


def _bands(band: Ints, number: Ints, weight: Floats) -> Iterator[tuple[Ints, int]]:
    """The hashes found in one alignment, in order, and its band; the promising ones first."""
    if not len(band):
        return
    key = np.unique(band * len(weight) + number)
    band, hit = np.divmod(key, len(weight))
    begin = np.flatnonzero(np.diff(band, prepend=-1))
    end = np.append(begin[1:], len(band))
    total = np.add.reduceat(weight[hit], begin)
    for at in np.argsort(-total, kind="stable")[:CANDIDATES]:
        yield hit[begin[at] : end[at]], int(band[begin[at]])


def _fresh(values: npt.NDArray[np.uint16]) -> Floats:
    """1 for a hash that is new in the piece, AGAIN for one that came shortly before."""
    order = np.argsort(values, kind="stable")
    again = (np.diff(values[order]) == 0) & (np.diff(order) <= RECENT)
    fresh = np.ones(len(values))
    fresh[order[1:][again]] = AGAIN
    return fresh


def _best_stretch(gain: Floats, spent: Floats) -> tuple[float, int, int]:
    """Score, first and last of the stretch of found hashes that wins most.

    `gain` is the weight of each found hash, `spent` the weight of all hashes up to it: what was
    missed between two costs MISS of its weight.
    """
    after = np.cumsum(gain) * (1 + MISS) - spent * MISS
    before = after - gain  # as if everything before it had been found or not yet begun
    lowest = np.minimum.accumulate(before)
    high = int(np.argmax(after - lowest))
    low = int(np.argmin(before[: high + 1]))
    return float(after[high] - before[low]), low, high
