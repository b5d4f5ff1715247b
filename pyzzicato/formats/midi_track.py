"""One track of a Standard MIDI file as bytes -> the few events that music is made of.

A track that is broken is read as far as it can be, and what is wrong with it is said.
Source: Standard MIDI Files 1.0, MIDI Manufacturers Association.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from pyzzicato.errors import UnreadableMusic
from pyzzicato.music.limits import too_many_notes

__all__ = [
    "ALL_NOTES_OFF",
    "ALL_SOUND_OFF",
    "CONTROL",
    "NOTE_OFF",
    "NOTE_ON",
    "PROGRAM",
    "SUSTAIN",
    "Event",
    "Fault",
    "ReadTrack",
    "Track",
    "read_track",
]

SUSTAIN, ALL_SOUND_OFF, ALL_NOTES_OFF = 64, 120, 123
"""The controllers that say when notes end: the sustain pedal, silence, and all keys let go."""

NOTE_OFF, NOTE_ON, CONTROL, PROGRAM, PRESSURE = 0x80, 0x90, 0xB0, 0xC0, 0xD0

_RESET = 121  # lifts the pedal, among others
# By the controller: those that turn omni and mono on and off let all keys go as well.
_KEPT = {
    SUSTAIN: SUSTAIN,
    _RESET: SUSTAIN,
    ALL_SOUND_OFF: ALL_SOUND_OFF,
    **dict.fromkeys(range(ALL_NOTES_OFF, 128), ALL_NOTES_OFF),
}
_SYSEX, _SYSEX_MORE, _META = 0xF0, 0xF7, 0xFF
_END_OF_TRACK, _SET_TEMPO, _METER = 0x2F, 0x51, 0x58
# Messages of live playing, which have no place in a file, and how many bytes follow them.
_LIVE = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, **dict.fromkeys(range(0xF8, 0xFF), 0)}


class Fault(Enum):
    """What is wrong with a file that can be read all the same, in words."""

    BEFORE = "what stands before its header was passed over"
    HEADER = "its header is longer or shorter than it says"
    FORMAT = "it is of a format that there is not"
    BETWEEN = "what stands between its tracks was passed over"
    MISSING = "it has fewer tracks than it says"
    MORE = "it has more tracks than it says"
    LENGTH = "a track is longer or shorter than it says"
    NO_END = "the end of a track is not marked"
    CUT_OFF = "it breaks off in the midst"
    IN_PART = "a track can be read only in part"
    ABOVE_127 = "numbers above 127 were lowered to that, or left out"
    RUNNING = "messages without a kind were taken to be of the last one"
    LIVE = "messages that belong to live playing were left out"
    TEMPO = "a tempo that is none was left out"
    FRAMES = "it counts time in film frames, so its tempo is taken to be 120"
    ALONE = "it is of the rare format 2"
    SEVERAL = "it holds several pieces side by side (format 2), and the first is read"


class Event(NamedTuple):
    """One channel event: `kind` is its status without channel; `a`, `b` its data, 0-127.

    Only note on (0x90), note off (0x80), program (0xC0) and, of the controllers (0xB0), the
    sustain pedal, All Sound Off and All Notes Off are kept. A note on with velocity 0 has become
    a note off, Reset All Controllers a lifted pedal.
    """

    tick: int
    kind: int
    channel: int
    a: int
    b: int


class Track(NamedTuple):
    """One track: its events in file order and its length in ticks.

    `tempos` are (tick, microseconds a quarter note), `meters` (tick, beats, unit).
    """

    events: tuple[Event, ...]
    length: int = 0
    tempos: tuple[tuple[int, int], ...] = ()
    meters: tuple[tuple[int, int, int], ...] = ()


class _End(Exception):
    """Nothing can be read from here on."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


class ReadTrack(NamedTuple):
    """A track, how many notes begin in it, where it says that it ends (None: nowhere), and what is
    wrong with it."""

    track: Track
    notes: int
    end: int | None
    faults: set[Fault]


def read_track(data: bytes, most_notes: int) -> ReadTrack:
    """The track in `data`, as far as it can be read.

    Raises UnreadableMusic above `most_notes` notes, and on a tempo of zero.
    """
    reader = _Reader(data, most_notes)
    end = reader.read()
    track = Track(tuple(reader.events), reader.tick, tuple(reader.tempos), tuple(reader.meters))
    return ReadTrack(track, most_notes - reader.left, end, reader.faults)


class _Reader:
    """Where the reading of one track stands, and what was found."""

    def __init__(self, data: bytes, most_notes: int) -> None:
        self.data = data
        self.left = most_notes
        self.tick = 0
        self.events: list[Event] = []
        self.tempos: list[tuple[int, int]] = []
        self.meters: list[tuple[int, int, int]] = []
        self.faults: set[Fault] = set()

    def read(self) -> int | None:
        """Reads all that can be; the place after the mark of the end, None where there is none."""
        data, size = self.data, len(self.data)
        position = status = 0
        cancelled = False
        try:
            while position < size:
                delta, position = _variable(data, position)
                first = data[position]
                self.tick += delta
                if first >= 0xF0:
                    cancelled = True  # by the standard; some files go on with the status
                    if first in _LIVE:
                        self.faults.add(Fault.LIVE)
                        position += 1 + _LIVE[first]
                        continue
                    kind, position = self._meta(first, position)
                    if kind == _END_OF_TRACK:
                        return position
                    continue
                if first >= 0x80:
                    status, position, cancelled = first, position + 1, False
                elif cancelled:
                    self.faults.add(Fault.RUNNING)
                position = self._channel_event(position, status)
        except IndexError:
            self.faults.add(Fault.CUT_OFF)
        except _End as error:
            self.faults.add(error.fault)
        else:
            self.faults.add(Fault.NO_END)
        return None

    def _meta(self, first: int, position: int) -> tuple[int | None, int]:
        """The kind of a meta event, None for a system message, and what is after it."""
        data = self.data
        if first not in (_META, _SYSEX, _SYSEX_MORE):
            raise _End(Fault.IN_PART)
        kind = data[position + 1] if first == _META else None
        length, start = _variable(data, position + (1 if kind is None else 2))
        position = start + length
        if position > len(data):
            raise _End(Fault.CUT_OFF)
        if kind == _SET_TEMPO:
            self._tempo(data[start:position])
        # A broken one does not matter: no note depends on it.
        if kind == _METER and length >= 2 and data[start] and data[start + 1] <= 6:
            self.meters.append((self.tick, data[start], 2 ** data[start + 1]))
        return kind, position

    def _tempo(self, data: bytes) -> None:
        """Takes in microseconds a quarter note."""
        tempo = int.from_bytes(data, "big")
        if len(data) != 3:
            self.faults.add(Fault.TEMPO)
        elif tempo == 0:
            raise UnreadableMusic(
                "This MIDI file has a tempo of zero: set a tempo and export again."
            )
        else:
            self.tempos.append((self.tick, tempo))

    def _channel_event(self, position: int, status: int) -> int:
        """Takes in the event whose data are at `position`; what is after it."""
        if not status:
            raise _End(Fault.IN_PART)
        data, kind = self.data, status & 0xF0
        a = data[position]
        if kind in (PROGRAM, PRESSURE):
            b, position = 0, position + 1
        else:
            b, position = data[position + 1], position + 2
        if a > 127 or b > 127:
            self.faults.add(Fault.ABOVE_127)
            if a > 127:
                return position
            b = 127
        if kind == NOTE_ON:
            if b == 0:
                kind = NOTE_OFF
            else:
                self.left -= 1
                if self.left < 0:
                    raise too_many_notes()
        elif kind == CONTROL:
            if a not in _KEPT:
                return position
            a, b = _KEPT[a], 0 if a == _RESET else b
        elif kind not in (NOTE_OFF, PROGRAM):
            return position
        self.events.append(Event(self.tick, kind, status & 0x0F, a, b))
        return position


def _variable(data: bytes, position: int) -> tuple[int, int]:
    """A variable-length number of at most four bytes, and what is after it."""
    value = 0
    for length in range(1, 5):
        byte = data[position + length - 1]
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            return value, position + length
    raise _End(Fault.IN_PART)
