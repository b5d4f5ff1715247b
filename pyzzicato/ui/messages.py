"""What goes to the browser: a header and notes as rows of numbers; while music grows, only news.

`assets/music.js` reads these bytes and puts the news together.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyzzicato.music.instruments import INSTRUMENTS, instrument_of
from pyzzicato.music.layering import PROGRAMS
from pyzzicato.music.notes import Note

__all__ = ["BAND", "COLUMNS", "EARLIER", "NEW", "SEED", "News", "Rows", "note_rows", "pack"]

Rows = NDArray[np.float32]
"""Notes as (notes, 5): start, duration (seconds), pitch, velocity, part."""

SEED, NEW = 0, 1
BAND = 16  # the part of the drums; the other four instruments of a band follow
EARLIER = 21  # of what was written before and is the seed now; two parts that take turns
COLUMNS = 5  # start, duration (seconds), pitch, velocity, part (SEED, NEW and those after it, BAND)
VOICES = {program: NEW + voice for voice, program in enumerate(PROGRAMS)}
"""The part of a new note by its program: each instrument has a sound and a colour of its own."""

_NOTHING: Rows = np.empty((0, COLUMNS), "<f4")
_LAG = 8  # messages that the browser may skip: it draws the newest of those that came together


class News:
    """What of growing music a browser has not been sent; one for each component and visitor."""

    def __init__(self) -> None:
        self._made: dict[Hashable, tuple[tuple[Note, ...], Rows]] = {}
        # The rows, in which message each came first, and how many messages there were.
        self._sent: dict[Hashable, tuple[Rows, NDArray[np.int64], int]] = {}

    def rows(
        self, what: Hashable, notes: tuple[Note, ...], make: Callable[[tuple[Note, ...]], Rows]
    ) -> Rows:
        """What `make` makes of `notes`: of those alone that came since, where each gives a row."""
        before, rows = self._made.get(what, ((), _NOTHING))
        if len(rows) != len(before):
            before = ()  # some, such as drums, are left out: all is made again
        pairs = enumerate(zip(before, notes, strict=False))
        shorter = min(len(before), len(notes))
        same = next((at for at, (old, new) in pairs if old is not new), shorter)
        rows = np.concatenate([rows[:same], make(notes[same:])])
        self._made[what] = notes, rows
        return rows

    def of(self, what: Hashable, rows: Rows) -> Rows:
        """The rows of `what` that were not in it some messages ago.

        All of them at first, and where something that was there has gone.
        """
        before, first, count = self._sent.get(what, (_NOTHING, np.empty(0, np.int64), 0))
        shorter = min(len(before), len(rows))
        other = np.flatnonzero((before[:shorter] != rows[:shorter]).any(axis=1))
        same = int(other[0]) if len(other) else shorter
        known = dict(zip(_keys(before[same:]), first[same:].tolist(), strict=True))
        keys = _keys(rows[same:])
        if not known.keys() <= set(keys):
            del self._sent[what]
            return self.of(what, rows)
        since = np.array([known.get(key, count) for key in keys], np.int64)
        first = np.concatenate([first[:same], since])
        self._sent[what] = rows, first, count + 1
        return rows[first > count - _LAG]

    def forget(self) -> None:
        """Sends everything next."""
        self._made.clear()
        self._sent.clear()


def _keys(rows: Rows) -> list[bytes]:
    return [row.tobytes() for row in rows]


def note_rows(notes: Iterable[Note], part: int, band: bool = False, at: float = 0.0) -> Rows:
    """The rows of notes, `at` seconds later; drums only in a band, for a piano has none."""
    rows = [
        (n.start + at, n.end - n.start, n.pitch, n.velocity, _voice(n, part, band))
        for n in notes
        if band or not n.is_drum
    ]
    return np.array(rows, dtype="<f4").reshape(-1, COLUMNS)


def _voice(note: Note, part: int, band: bool) -> int:
    """The part of a note: its instrument in a band, where what is in no band is the piano."""
    if band:
        place = instrument_of(note)
        return BAND + (INSTRUMENTS.index("Piano") if place is None else place)
    return VOICES.get(note.program, part) if part == NEW and note.program else part


def pack(header: dict[str, Any], rows: Rows) -> bytes:
    """uint32 length of the header, the header as JSON padded to 4 bytes, the rows."""
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + rows.astype("<f4").tobytes()
