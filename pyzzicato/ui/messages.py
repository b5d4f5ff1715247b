"""What goes to the browser: a header and notes as rows of numbers; while music grows, only news.

`assets/music.js` reads these bytes and puts the news together.
"""

from __future__ import annotations

import json
import struct
from collections import deque
from collections.abc import Hashable, Iterable
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

_LAG = 8  # messages that the browser may skip: it draws the newest of those that came together


class News:
    """What of growing music a browser has not been sent; one for each component and visitor."""

    def __init__(self) -> None:
        self._sent: dict[Hashable, deque[set[bytes]]] = {}

    def of(self, what: Hashable, rows: Rows) -> Rows:
        """The rows of `what` that were not in it some messages ago.

        All of them at first, and where something that was there has gone.
        """
        sent = self._sent.setdefault(what, deque(maxlen=_LAG))
        keys = [row.tobytes() for row in rows]
        if sent and not sent[-1].issubset(keys):
            sent.clear()
        known = sent[0] if len(sent) == _LAG else set()
        sent.append(set(keys))
        return rows[[key not in known for key in keys]] if known else rows

    def forget(self) -> None:
        """Sends everything next."""
        self._sent.clear()


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
