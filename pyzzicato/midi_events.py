"""Standard MIDI files as bytes -> the few events that music is made of.

Our own reader, because the files come from strangers: nothing here allocates by what a file
claims (pretty_midi makes an array as long as the last tick), time is at most a few
microseconds per byte, and the only exception is `UnreadableMusic`.
Source: Standard MIDI Files 1.0, MIDI Manufacturers Association.
"""

from __future__ import annotations

from typing import NamedTuple

from pyzzicato.errors import UnreadableMusic
from pyzzicato.limits import MAX_NOTES, MAX_TRACKS, too_many_notes

__all__ = ["Event", "MidiEvents", "Track", "read_events"]

SUSTAIN = 64  # the controller number of the sustain pedal

_NOTE_OFF, _NOTE_ON, _CONTROL, _PROGRAM = 0x80, 0x90, 0xB0, 0xC0
_SYSEX, _SYSEX_MORE, _META = 0xF0, 0xF7, 0xFF
_END_OF_TRACK, _SET_TEMPO, _METER = 0x2F, 0x51, 0x58


class Event(NamedTuple):
    """One channel event: `kind` is its status without channel; `a`, `b` its data, 0-127.

    Only note on (0x90), note off (0x80), sustain pedal (0xB0) and program (0xC0) are kept; a
    note on with velocity 0 has become a note off.
    """

    tick: int
    kind: int
    channel: int
    a: int
    b: int


class Track(NamedTuple):
    """One track: its events in file order and its length in ticks."""

    events: tuple[Event, ...]
    length: int


class MidiEvents(NamedTuple):
    """A whole file: `division` in ticks per quarter note, `tempos` as (tick, microseconds).

    `meters` are its time signatures as (tick, beats, unit): 6/8 at the start is (0, 6, 8).
    """

    division: int
    tracks: tuple[Track, ...]
    tempos: tuple[tuple[int, int], ...]
    meters: tuple[tuple[int, int, int], ...] = ()


def read_events(data: bytes, most_notes: int = MAX_NOTES) -> MidiEvents:
    """The events of a MIDI file of format 0 or 1; raises UnreadableMusic on anything else."""
    claimed, division, position = _header(data)
    tracks: list[Track] = []
    tempos: list[tuple[int, int]] = []
    meters: list[tuple[int, int, int]] = []
    left = most_notes
    while position < len(data) and len(tracks) < claimed:
        name = data[position : position + 4]
        start = position + 8
        end = start + int.from_bytes(data[position + 4 : start], "big")
        if end > len(data):
            raise _cut_off()
        if name == b"MTrk":
            track = _track(data[start:end], tempos, meters, left)
            left -= sum(event.kind == _NOTE_ON for event in track.events)
            tracks.append(track)
        position = end
    if len(tracks) < claimed:
        raise _cut_off()
    # Stable: of two tempos at one tick the later one in the file holds.
    return MidiEvents(
        division,
        tuple(tracks),
        tuple(sorted(tempos, key=lambda tempo: tempo[0])),
        tuple(sorted(meters, key=lambda meter: meter[0])),
    )


def _header(data: bytes) -> tuple[int, int, int]:
    """The number of tracks, the division, and where the first track starts."""
    if data[:4] != b"MThd":
        raise UnreadableMusic("This is not a MIDI file: choose one that ends in .mid.")
    length = int.from_bytes(data[4:8], "big")
    if len(data) < 14 or 8 + length > len(data):
        raise _cut_off()
    if length < 6:
        raise _damaged()
    kind, tracks, division = (int.from_bytes(data[i : i + 2], "big") for i in (8, 10, 12))
    if kind > 1:
        raise UnreadableMusic(
            "This MIDI file is of a rare kind (format 2): export it again as format 0 or 1."
        )
    if tracks > MAX_TRACKS:
        raise UnreadableMusic(
            f"This MIDI file has {tracks} tracks, more than {MAX_TRACKS}: export fewer of them."
        )
    if division & 0x8000:
        raise UnreadableMusic(
            "This MIDI file counts time in film frames: export it again in ticks per quarter note."
        )
    if division == 0 or tracks == 0:
        raise _damaged()
    return tracks, division, 8 + length


def _track(
    data: bytes, tempos: list[tuple[int, int]], meters: list[tuple[int, int, int]], left: int
) -> Track:
    """One track chunk; adds to `tempos` and `meters`, at most `left` notes may start."""
    events: list[Event] = []
    tick = position = status = 0
    try:
        while position < len(data):
            delta, position = _variable(data, position)
            tick += delta
            first = data[position]
            if first in (_META, _SYSEX, _SYSEX_MORE):
                kind = data[position + 1] if first == _META else None
                length, start = _variable(data, position + (1 if kind is None else 2))
                position = start + length
                if position > len(data):
                    raise _cut_off()
                if kind == _SET_TEMPO:
                    tempos.append((tick, _tempo(data[start:position])))
                # A broken one does not matter: no note depends on it.
                if kind == _METER and length >= 2 and data[start] and data[start + 1] <= 6:
                    meters.append((tick, data[start], 2 ** data[start + 1]))
                if kind == _END_OF_TRACK:
                    break
                continue
            if first >= 0x80:  # a new status; else the last one still runs
                status, position = first, position + 1
            event, position = _channel_event(data, position, status, tick)
            if event is not None:
                left -= event.kind == _NOTE_ON
                if left < 0:
                    raise too_many_notes()
                events.append(event)
    except IndexError:
        raise _cut_off() from None
    return Track(tuple(events), tick)


def _channel_event(data: bytes, position: int, status: int, tick: int) -> tuple[Event | None, int]:
    """The event at `position` (None where the music does not need it), and what is after it."""
    kind, channel = status & 0xF0, status & 0x0F
    if not 0x80 <= status < 0xF0:
        raise _damaged()
    a = data[position]
    one_byte = kind in (_PROGRAM, 0xD0)
    b = 0 if one_byte else data[position + 1]
    if a > 127 or b > 127:
        raise _damaged()
    position += 1 if one_byte else 2
    if kind == _NOTE_ON and b == 0:
        kind = _NOTE_OFF
    if kind in (_NOTE_OFF, _NOTE_ON, _PROGRAM) or (kind == _CONTROL and a == SUSTAIN):
        return Event(tick, kind, channel, a, b), position
    return None, position


def _variable(data: bytes, position: int) -> tuple[int, int]:
    """A variable-length number of at most four bytes, and what is after it."""
    value = 0
    for length in range(1, 5):
        byte = data[position + length - 1]
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            return value, position + length
    raise _damaged()


def _tempo(data: bytes) -> int:
    """Microseconds per quarter note."""
    tempo = int.from_bytes(data, "big")
    if len(data) != 3:
        raise _damaged()
    if tempo == 0:
        raise UnreadableMusic("This MIDI file has a tempo of zero: set a tempo and export again.")
    return tempo


def _cut_off() -> UnreadableMusic:
    return UnreadableMusic("This MIDI file is cut off before its end: export or download it again.")


def _damaged() -> UnreadableMusic:
    return UnreadableMusic("This MIDI file is damaged: export or download it again.")
