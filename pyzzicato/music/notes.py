"""Notes and note sequences: the music itself, immutable, in seconds.

Everything else in the package takes or gives a `NoteSequence`. Times are absolute seconds
from the start of the sequence, pitches are MIDI numbers (60 is middle C), velocities run
from 1 to 127, and `qpm` is the tempo in quarter notes per minute, kept for notation only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

__all__ = [
    "HIGHEST_KEY",
    "LOWEST_KEY",
    "Note",
    "NoteSequence",
    "counted",
    "cut_overlaps",
    "longest_repeat",
]

LOWEST_KEY = 21  # A0, the lowest key of a piano
HIGHEST_KEY = 108  # C8, the highest


class Note(NamedTuple):
    """One note: `start` and `end` in seconds, `pitch` 0-127, `velocity` 1-127."""

    start: float
    end: float
    pitch: int
    velocity: int = 80
    program: int = 0
    is_drum: bool = False


def counted(number: int, what: str = "note") -> str:
    """A number of notes in words: "1 note", "2,400 notes"; `what` may say more of them."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _check(note: Note) -> None:
    if not (math.isfinite(note.start) and math.isfinite(note.end)):
        raise ValueError(f"note times must be finite: {note}")
    if note.start < 0 or note.end <= note.start:
        raise ValueError(f"a note must start at 0 or later and end after it starts: {note}")
    if not (0 <= note.pitch <= 127 and 1 <= note.velocity <= 127 and 0 <= note.program <= 127):
        raise ValueError(f"pitch and program are 0-127, velocity 1-127: {note}")


@dataclass(frozen=True, slots=True)
class NoteSequence:
    """Sorted, validated, hashable music; every method returns a new sequence.

    Raises ValueError where a note's times, pitch, velocity or program are out of range, or
    where `qpm` is not a positive number.
    """

    notes: tuple[Note, ...] = ()
    qpm: float = 120.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.qpm) and self.qpm > 0):
            raise ValueError(f"qpm must be a positive number, not {self.qpm}")
        for note in self.notes:
            _check(note)
        object.__setattr__(self, "notes", tuple(sorted(self.notes)))

    def __len__(self) -> int:
        return len(self.notes)

    def __iter__(self) -> Iterator[Note]:
        return iter(self.notes)

    @property
    def duration(self) -> float:
        """Seconds from 0 to the end of the note that ends last; 0 without notes."""
        return max((note.end for note in self.notes), default=0.0)

    def transpose(self, semitones: int) -> NoteSequence:
        """Every pitched note moved by `semitones`; notes that leave 0-127 are dropped."""
        moved = (n if n.is_drum else n._replace(pitch=n.pitch + semitones) for n in self.notes)
        return replace(self, notes=tuple(n for n in moved if 0 <= n.pitch <= 127))

    def shift(self, seconds: float) -> NoteSequence:
        """Everything moved later by `seconds` (earlier if negative; what falls before 0 is cut)."""
        moved = (
            n._replace(start=max(0.0, n.start + seconds), end=n.end + seconds) for n in self.notes
        )
        return replace(self, notes=tuple(n for n in moved if n.end > n.start))

    def stretch(self, factor: float) -> NoteSequence:
        """Every time multiplied by `factor` (above 1 is slower), the tempo with it."""
        if not factor > 0:
            raise ValueError(f"factor must be above 0, not {factor}")
        scaled = (n._replace(start=n.start * factor, end=n.end * factor) for n in self.notes)
        return replace(self, notes=tuple(scaled), qpm=self.qpm / factor)

    def trim(self, start: float, end: float) -> NoteSequence:
        """The music between `start` and `end` seconds, moved to 0; notes held across are cut."""
        kept = (
            n._replace(start=max(n.start, start) - start, end=min(n.end, end) - start)
            for n in self.notes
            if n.start < end and n.end > start
        )
        return replace(self, notes=tuple(n for n in kept if n.end > n.start))

    def quantize(self, steps_per_second: float) -> NoteSequence:
        """Starts and ends on a grid of `steps_per_second`; every note lasts at least one step."""

        def snap(note: Note) -> Note:
            start = round(note.start * steps_per_second)
            end = max(start + 1, round(note.end * steps_per_second))
            return note._replace(start=start / steps_per_second, end=end / steps_per_second)

        return replace(self, notes=tuple(snap(n) for n in self.notes))

    def followed_by(self, continuation: NoteSequence, at: float | None = None) -> NoteSequence:
        """This music, then `continuation` from `at` seconds (default: where this one ends)."""
        border = self.duration if at is None else at
        return replace(self, notes=self.notes + continuation.shift(border).notes)

    def merge(self, notes: Iterable[Note]) -> NoteSequence:
        """This music with `notes` added; only these are looked at, so that music grows cheaply."""
        added = NoteSequence(tuple(notes))
        merged = object.__new__(NoteSequence)
        object.__setattr__(merged, "notes", tuple(sorted(self.notes + added.notes)))
        object.__setattr__(merged, "qpm", self.qpm)
        return merged


def cut_overlaps(notes: Iterable[Note]) -> tuple[Note, ...]:
    """`notes` with each one cut where its key (pitch, program) is struck again, in order.

    Notes of one key that start together become one: the longest end, the highest velocity.
    """
    last: dict[tuple[int, int, bool], Note] = {}
    done: list[Note] = []
    for note in sorted(notes):
        key = (note.pitch, note.program, note.is_drum)
        before = last.get(key)
        if before is not None and before.start == note.start:
            note = note._replace(
                end=max(before.end, note.end), velocity=max(before.velocity, note.velocity)
            )
        elif before is not None:
            done.append(before._replace(end=min(before.end, note.start)))
        last[key] = note
    return tuple(sorted([*done, *last.values()]))


def longest_repeat(notes: Sequence[Note]) -> int:
    """How many times in a row the same note or chord comes, at the most; 0 without notes."""
    by_start = groupby(sorted(notes), key=lambda note: note.start)
    chords = [tuple(note.pitch for note in chord) for _, chord in by_start]
    return max((len(list(run)) for _, run in groupby(chords)), default=0)
