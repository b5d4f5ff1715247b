"""Filling in a stretch of a piece: which stretch, and how the parts come together.

Conventions. The seed is the whole piece. Notes that start inside the gap are replaced; what
starts before it stays, and so does what starts at its end or later. New notes have times of
their own: 0 is where the gap begins.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from pyzzicato.errors import InvalidControl
from pyzzicato.music.notes import Note, NoteSequence

__all__ = ["SHORTEST_GAP", "Gap", "around", "asked_gap", "check_gap", "filled", "parted"]

SHORTEST_GAP = 0.5  # seconds


class Gap(NamedTuple):
    """A stretch of a piece, in seconds from its beginning."""

    start: float
    stop: float

    @property
    def seconds(self) -> float:
        return self.stop - self.start


def asked_gap(controls: Any) -> Gap | None:
    """The stretch that `controls` ask to fill in; None where both its ends are 0 or unknown."""
    gap = Gap(getattr(controls, "fill_from", 0.0), getattr(controls, "fill_to", 0.0))
    return gap if any(gap) else None


def check_gap(seed: NoteSequence, gap: Gap) -> None:
    """Raises InvalidControl where `gap` is not a stretch of at least 0.5 s inside the seed."""
    if gap.seconds < SHORTEST_GAP - 1e-9:
        raise InvalidControl(
            f"From {gap.start:g} to {gap.stop:g} seconds is too short to be filled in: choose an "
            f"end at least {SHORTEST_GAP:g} seconds after the beginning."
        )
    if gap.stop > seed.duration + 1e-6:
        raise InvalidControl(
            f"There is no stretch from {gap.start:g} to {gap.stop:g} seconds to fill in: choose "
            f"both ends inside the seed, which lasts {seed.duration:.1f} seconds."
        )


def around(seed: NoteSequence, gap: Gap) -> tuple[NoteSequence, NoteSequence]:
    """What stays of the piece before the gap and after it, at its own times."""
    before = tuple(note for note in seed if note.start < gap.start)
    after = tuple(note for note in seed if note.start >= gap.stop)
    return replace(seed, notes=before), replace(seed, notes=after)


def parted(
    seed: NoteSequence, new: NoteSequence, fill_from: float, fill_to: float
) -> tuple[NoteSequence, NoteSequence]:
    """What stays of the piece, and the new notes, each at its own times.

    A key that is struck again ends the note before, where one of the two is new.
    """
    before, after = around(seed, Gap(fill_from, fill_to))
    moved = new.shift(fill_from)
    ours = _starts(moved)
    later = _starts((*moved, *after))
    stays = (*(_cut(note, ours) for note in before), *after)
    played = tuple(_cut(note, later) for note in moved)
    return replace(seed, notes=stays), replace(seed, notes=played).shift(-fill_from)


def _key(note: Note) -> tuple[int, int, bool]:
    return note.pitch, note.program, note.is_drum


def _starts(notes: Iterable[Note]) -> dict[tuple[int, int, bool], list[float]]:
    """When each key is struck, in order."""
    starts: dict[tuple[int, int, bool], list[float]] = {}
    for note in sorted(notes):
        starts.setdefault(_key(note), []).append(note.start)
    return starts


def _cut(note: Note, starts: Mapping[tuple[int, int, bool], list[float]]) -> Note:
    """The note, ended where its key is struck next."""
    again = starts.get(_key(note), [])
    place = bisect_right(again, note.start)
    return note._replace(end=min(note.end, again[place])) if place < len(again) else note


def filled(seed: NoteSequence, new: NoteSequence, fill_from: float, fill_to: float) -> NoteSequence:
    """The whole piece: what comes before the gap, the new notes from `fill_from` on, the rest."""
    stays, new = parted(seed, new, fill_from, fill_to)
    return stays.followed_by(new, fill_from)
