"""What a network that writes one note a step reads before it writes: a seed, or two parts.

Everything here has to be as in training: see `pyzzicato.families.transformer.windows`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyzzicato.codecs.performance import BINS, FINE, PITCH, TICKS, TIME, codes_of, time_bounds
from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.families.transformer.windows import (
    FILL,
    MUSIC,
    OPENING,
    READ,
    WISHES,
    read_codes,
    time_left,
)
from pyzzicato.generation.infill import Gap, around
from pyzzicato.music.notes import NoteSequence

__all__ = ["Prompt", "read_after", "to_continue", "to_fill"]

BRIEF = 300  # notes
NOTES_A_SECOND = 20  # room for the new notes, as dense as music gets over some seconds


@dataclass(frozen=True, eq=False)
class Prompt:
    """What is read, the last row of it before the first new note; n is at most the context.

    `notes` is (n, 6), `wishes` (n, 5) with segment and time left only, `codes` (m, 5) the notes
    that the new ones follow. `since` is the seconds from the last onset to where the new music
    begins, `left` those from there to the part after, None where there is none.
    """

    notes: np.ndarray
    wishes: np.ndarray
    codes: np.ndarray
    since: float = 0.0
    left: float | None = None

    @property
    def onsets(self) -> np.ndarray:
        """Seconds of `codes` from the first of them on, (m,)."""
        return _onsets(self.codes)


def read_after(codes: np.ndarray) -> np.ndarray:
    """What is read after the last of `codes` (0 or more rows), (1, 6)."""
    read = np.array(READ, np.int64) - 1
    if len(codes):
        read[:4] = codes[-1, :4]
        read[4] = (codes[-1, PITCH] + 9) % 12
    if len(codes) > 1:
        read[5] = codes[-1, PITCH] - codes[-2, PITCH] + BINS[1] - 1
    return read[None]


def to_continue(seed: NoteSequence, places: int, end: float | None = None) -> Prompt:
    """To go on at `end` seconds (the seed's end unless told); its last `places` notes are read."""
    codes = codes_of(note_array(seed))[-(places - 1) :]
    if len(codes):
        codes[0, [TIME, FINE]] = 0
    wishes = np.zeros((len(codes) + 1, len(WISHES)), np.int64)
    # A short seed is taken for the opening of a piece, which the built-in ones are.
    wishes[:, 3] = OPENING if len(codes) < BRIEF else MUSIC
    onset = max((note.start for note in seed), default=0.0)
    since = (seed.duration if end is None else end) - onset if len(codes) else 0.0
    notes = np.concatenate([read_codes(codes), read_after(codes)])
    return Prompt(notes, wishes, codes, since)


def to_fill(piece: NoteSequence, gap: Gap, places: int) -> Prompt:
    """To fill `gap`: at most a quarter of the context is the part after, which comes first.

    The time left counts to the first note of the part after, as in training; where the gap ends
    in a rest that is later than the gap's end.
    """
    before, after = (note_array(part) for part in around(piece, gap))
    border = float(after[0, 0]) if len(after) else gap.stop
    later = _from_its_first(after[: places // 4])
    new = min(places // 2, int(np.ceil(gap.seconds * NOTES_A_SECOND)))
    earlier = _from_its_first(before[-max(1, places - 1 - len(later) - new) :])
    passed = _onsets(earlier)
    since = gap.start - float(before[-1, 0]) if len(earlier) else 0.0
    until = border - gap.start  # from the beginning of the gap
    whole = (passed[-1] if len(earlier) else 0.0) + since + until
    wishes = np.zeros((len(later) + len(earlier) + 1, len(WISHES)), np.int64)
    wishes[: len(later), 3] = FILL
    wishes[len(later) :, 3] = MUSIC
    wishes[len(later) :, 4] = time_left(whole - np.concatenate([[0.0], passed]))
    notes = np.concatenate([read_codes(later), read_codes(earlier), read_after(earlier)])
    return Prompt(notes, wishes, earlier, since, until)


def _onsets(codes: np.ndarray) -> np.ndarray:
    onsets: np.ndarray = np.cumsum(time_bounds()[codes[:, TIME]] + codes[:, FINE]) / TICKS
    return onsets


def _from_its_first(notes: np.ndarray) -> np.ndarray:
    """The codes of a part, whose first note is at 0 seconds."""
    if len(notes):
        notes = notes.copy()
        notes[:, :2] -= notes[0, 0]
    return codes_of(notes)
