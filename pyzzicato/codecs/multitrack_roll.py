"""The multitrack roll: five instruments, 4 steps a quarter note, on the music's own beats.

Conventions. A roll is a uint8 array of shape (steps, 5, 128): instrument in the order of
`INSTRUMENTS`, then MIDI pitch. 0 is silent, `HELD` (1) goes on sounding, `STRUCK` (2) begins. A
bar of 4/4 is 16 steps; networks see windows of `WINDOW` = 32. A drum stroke lasts one step,
since the length that files give it is not heard.

Instruments are those of `pyzzicato.music.instruments`; notes that none of them plays are left out,
and `BandPiece.dropped` says so.

Source: Skourogiannis and Pallikaris, section on multi-instrument systems: 5 x 32 x 128 of the
Lakh Pianoroll Dataset, LPD-5. Differs from it in: onsets are kept, which their binary rolls lose;
LPD-5 has 24 steps a quarter note.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from pyzzicato.errors import UnreadableMusic, listed
from pyzzicato.music.instruments import DRUMS, INSTRUMENTS, PROGRAMS, instrument_of
from pyzzicato.music.notes import Note, NoteSequence, counted

__all__ = [
    "HELD",
    "PITCHES",
    "STEPS_PER_QUARTER",
    "STRUCK",
    "WINDOW",
    "BandPiece",
    "MultitrackRoll",
    "band_spans",
    "draw_spans",
    "from_sequence",
    "left_out",
    "sounding",
    "spans_of",
    "struck",
]

PITCHES = 128
STEPS_PER_QUARTER = 4
WINDOW = 32
HELD, STRUCK = 1, 2

MAX_STEPS = 32_768  # 2,048 bars of 4/4


@dataclass(frozen=True, slots=True, eq=False)
class BandPiece:
    """Music of five instruments: `spans`, its notes, and the tempo of most of its beats.

    `spans` is (n, 4) uint16: first step, step of the end, instrument, pitch. `dropped` are
    sentences for the person: what was left out or evened out. `meter` is the time signature of
    most of its beats, (4, 4) where none is given.
    """

    spans: np.ndarray
    qpm: float = 120.0
    dropped: tuple[str, ...] = ()
    meter: tuple[int, int] = (4, 4)

    @property
    def codes(self) -> np.ndarray:
        """The roll, (steps, 5, 128) uint8, drawn each time it is asked for."""
        return draw_spans(self.spans)

    @property
    def instruments(self) -> tuple[str, ...]:
        """The names of the instruments that play."""
        return tuple(INSTRUMENTS[place] for place in np.unique(self.spans[:, 2]))

    def sequence(self) -> NoteSequence:
        """The music on its grid, at one tempo: a seed that `MultitrackRoll` reads as it is here."""
        return MultitrackRoll().decode(self.codes, self.qpm)


@dataclass(frozen=True, slots=True)
class MultitrackRoll:
    """Codec between music and rolls of shape (steps, 5, 128) uint8.

    `encode` takes the sequence's own tempo as its grid. `decode(encode(m))` keeps instrument,
    pitch, start and end of every note that is on the grid; drum strokes come back one step long,
    velocities as 80. Encoding raises UnreadableMusic above 32,768 steps.
    """

    steps_per_quarter: int = STEPS_PER_QUARTER

    def encode(self, sequence: NoteSequence) -> np.ndarray:
        per_second = sequence.qpm / 60 * self.steps_per_quarter
        return draw_spans(_sequence_spans(sequence, per_second))

    def decode(self, codes: np.ndarray, qpm: float | None = None) -> NoteSequence:
        """The notes of a roll at `qpm` (None: 120).

        A held key that was silent in the step before begins there too: in a window cut from a
        piece, it has been struck before.
        """
        qpm = 120.0 if qpm is None else qpm
        seconds = 60 / qpm / self.steps_per_quarter
        notes = [
            Note(start * seconds, end * seconds, pitch, 80, PROGRAMS[place], place == DRUMS)
            for start, end, place, pitch in spans_of(codes).tolist()
        ]
        return NoteSequence(tuple(notes), qpm)


def struck(codes: np.ndarray) -> np.ndarray:
    """Where a key is struck: bool, of the shape of `codes`."""
    return np.asarray(codes == STRUCK)


def sounding(codes: np.ndarray) -> np.ndarray:
    """Where a key sounds, struck or held: bool, of the shape of `codes`."""
    return np.asarray(codes > 0)


def from_sequence(sequence: NoteSequence) -> BandPiece:
    """`sequence` on the grid of its `qpm`; `dropped` says which notes no instrument plays."""
    lost = Counter(n.program for n in sequence if instrument_of(n) is None)
    spans = _sequence_spans(sequence, sequence.qpm / 60 * STEPS_PER_QUARTER)
    return BandPiece(spans, sequence.qpm, tuple(left_out(lost)))


def draw_spans(spans: np.ndarray) -> np.ndarray:
    """The roll of notes given as `BandPiece.spans`; where a key is struck again, it begins anew."""
    notes = np.asarray(spans).astype(np.int64).reshape(-1, 4)
    start, end, place, pitch = notes.T
    change = np.zeros((int(end.max(initial=0)) + 1, len(INSTRUMENTS), PITCHES), np.int16)
    np.add.at(change, (start, place, pitch), 1)
    np.add.at(change, (end, place, pitch), -1)
    codes = (np.cumsum(change[:-1], axis=0, dtype=np.int16) > 0).astype(np.uint8)
    codes[start, place, pitch] = STRUCK
    return codes


def spans_of(codes: np.ndarray) -> np.ndarray:
    """The notes of a roll (steps, 5, 128), as `BandPiece.spans` has them, by their start."""
    on = sounding(codes)
    before = np.concatenate([np.zeros_like(on[:1]), on[:-1]])
    after = np.concatenate([~on[1:] | struck(codes[1:]), np.ones_like(on[-1:])])
    # By key, then by step: the n-th beginning of a key and its n-th end belong together.
    begins = np.argwhere(np.moveaxis(on & (struck(codes) | ~before), 0, -1))
    ends = np.argwhere(np.moveaxis(on & after, 0, -1))
    place, pitch, first = begins.T
    return _sorted(np.stack([first, ends[:, 2] + 1, place, pitch], axis=1))


def _sequence_spans(sequence: NoteSequence, per_second: float) -> np.ndarray:
    rows = [
        (np.rint(n.start * per_second), np.rint(n.end * per_second), place, n.pitch)
        for n in sequence
        if (place := instrument_of(n)) is not None
    ]
    return band_spans(np.array(rows, np.float64))


def band_spans(rows: np.ndarray) -> np.ndarray:
    """Notes as `BandPiece.spans` has them, from rows of float: each at least a step long."""
    notes = rows.reshape(-1, 4)
    if len(notes) and notes[:, :2].max() > MAX_STEPS:
        raise UnreadableMusic("This music is longer than 2,048 bars: choose a shorter piece.")
    spans = notes.astype(np.int64)
    stroke = spans[:, 2] == DRUMS
    spans[:, 1] = np.where(stroke, spans[:, 0] + 1, np.maximum(spans[:, 1], spans[:, 0] + 1))
    return _sorted(spans)


def _sorted(spans: np.ndarray) -> np.ndarray:
    """In order of start, instrument and pitch, closed to writing."""
    order = np.lexsort((spans[:, 3], spans[:, 2], spans[:, 0]))
    found = spans[order].astype(np.uint16)
    found.setflags(write=False)
    return found


def left_out(programs: Counter[int]) -> list[str]:
    """What is said of notes by General MIDI program that none of the five plays."""
    if not programs:
        return []
    count, total = len(programs), sum(programs.values())
    which = "another instrument" if count == 1 else f"{count} other instruments"
    names = listed([name.lower() for name in INSTRUMENTS])
    return [f"{counted(total)} of {which} were left out: the band has {names}."]
