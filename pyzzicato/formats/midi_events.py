"""Standard MIDI files as bytes -> the few events that music is made of.

Our own reader, because the files come from strangers: nothing here allocates by what a file
claims (pretty_midi makes an array as long as the last tick), time is at most a few
microseconds per byte, and the only exception is `UnreadableMusic`. What a file says of its own
lengths is believed only where the file agrees: a broken one is read as far as it can be, and
`MidiEvents.mended` says what was wrong.
Source: Standard MIDI Files 1.0, MIDI Manufacturers Association.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi_track import NOTE_ON, Fault, ReadTrack, Track, read_track
from pyzzicato.music.limits import MAX_NOTES, MAX_TRACKS

__all__ = ["DEFAULT_TEMPO", "MidiEvents", "is_midi", "read_events"]

T = TypeVar("T", bound=tuple[int, ...])

DEFAULT_TEMPO = 500_000
"""Microseconds a quarter note until the first tempo of a file."""
_DEFAULT_METER = (4, 4)
_FRAME_RATES = {24: 24.0, 25: 25.0, 29: 30_000 / 1001, 30: 30.0}  # frames a second, by SMPTE's name
# What may have lost notes: where there are none, the file is not empty but broken.
_CUT = {Fault.CUT_OFF, Fault.MISSING}
_DAMAGE = {Fault.HEADER, Fault.BETWEEN, Fault.LENGTH, Fault.IN_PART, Fault.ABOVE_127, Fault.TEMPO}


class MidiEvents(NamedTuple):
    """A whole file: `division` in ticks per quarter note, `tempos` as (tick, microseconds).

    `meters` are its time signatures as (tick, beats, unit): 6/8 at the start is (0, 6, 8). Both
    begin at tick 0, with 120 quarter notes a minute and 4/4 where the file says nothing yet.
    `mended` is a sentence for the person where the file is broken, else "".
    """

    division: float
    tracks: tuple[Track, ...]
    tempos: tuple[tuple[int, int], ...]
    meters: tuple[tuple[int, int, int], ...]
    mended: str = ""


def is_midi(data: bytes) -> bool:
    """Whether a MIDI file is in `data`: bare, in a RIFF wrapper (RMID), or after other bytes."""
    return _start(data) >= 0 or _is_wrapped(data)


def read_events(data: bytes, most_notes: int = MAX_NOTES, *, whole: bool = False) -> MidiEvents:
    """The events of a MIDI file, RMID too; raises UnreadableMusic where there are none to read.

    Of format 2, pieces side by side, it is the first with notes. Where it has to be `whole`, as
    training music that nobody looks at, a file that may have lost notes is refused.
    """
    start = _start(data)
    if start < 0 and _is_wrapped(data):
        raise _cut_off()
    if start < 0:
        raise UnreadableMusic("This is not a MIDI file: choose one that ends in .mid.")
    faults: set[Fault] = set()
    if start and not _is_wrapped(data):
        faults.add(Fault.BEFORE)
    data = data[start:]
    kind, claimed, division, position = _header(data, faults)
    tracks = _tracks(data, position, most_notes, faults)
    if len(tracks) != claimed:
        faults.add(Fault.MISSING if len(tracks) < claimed else Fault.MORE)
    sounding = [any(event.kind == NOTE_ON for event in track.events) for track in tracks]
    strict = whole or not any(sounding)
    if strict and faults & _CUT:
        raise _cut_off()
    if not tracks or (strict and faults & _DAMAGE):
        raise _damaged()
    if kind == 2:
        faults.add(Fault.ALONE if len(tracks) == 1 else Fault.SEVERAL)
        tracks = [tracks[sounding.index(True) if any(sounding) else 0]]
    elif kind > 2:
        faults.add(Fault.FORMAT)
    tempos = [tempo for track in tracks for tempo in track.tempos]
    if division & 0x8000:
        faults.add(Fault.FRAMES)
        tempos = []
    return MidiEvents(
        _ticks_a_quarter(division),
        tuple(tracks),
        _from_the_start(tempos, (0, DEFAULT_TEMPO)),
        _from_the_start((m for track in tracks for m in track.meters), (0, *_DEFAULT_METER)),
        _sentence(faults),
    )


def _start(data: bytes) -> int:
    """Where a MIDI file begins in `data`; -1 where there is none."""
    if data.startswith(b"MThd"):
        return 0
    if data.startswith((b"PK", b"RIFF")) and not _is_wrapped(data):
        return -1  # an archive may hold several
    return data.find(b"MThd\0\0\0")


def _is_wrapped(data: bytes) -> bool:
    """Whether it is RMID, a MIDI file in a RIFF wrapper."""
    return data.startswith(b"RIFF") and data[8:12] == b"RMID"


def _header(data: bytes, faults: set[Fault]) -> tuple[int, int, int, int]:
    """Format, number of tracks, division, and where the first track starts."""
    if len(data) < 14:
        raise _cut_off()
    kind, tracks, division = (int.from_bytes(data[i : i + 2], "big") for i in (8, 10, 12))
    _ticks_a_quarter(division)
    end = 8 + int.from_bytes(data[4:8], "big")
    if 14 <= end <= len(data) and (_is_chunk(data, end) or not _is_chunk(data, 14)):
        return kind, tracks, division, end
    faults.add(Fault.HEADER)
    return kind, tracks, division, 14


def _ticks_a_quarter(division: int) -> float:
    """`division` of the header as ticks a quarter note; of film frames at 120 of these a minute."""
    if not division & 0x8000:
        if not division:
            raise _damaged()
        return division
    rate, ticks = _FRAME_RATES.get(0x100 - (division >> 8)), division & 0xFF
    if rate is None or not ticks:
        raise UnreadableMusic(
            "This MIDI file counts time in film frames that there are not: export it again in "
            "ticks per quarter note."
        )
    return rate * ticks * DEFAULT_TEMPO / 1e6


def _tracks(data: bytes, position: int, left: int, faults: set[Fault]) -> list[Track]:
    """Every track from `position` on, with at most `left` notes in all."""
    tracks: list[Track] = []
    while position < len(data):
        name = data[position : position + 4]
        if name == b"MTrk":
            if len(tracks) == MAX_TRACKS:
                raise UnreadableMusic(
                    f"This MIDI file has more than {MAX_TRACKS} tracks: export fewer of them."
                )
            (track, notes, _, found), position = _track(data, position, left)
            left -= notes
            tracks.append(track)
            faults |= found
        elif name == b"MThd":
            break  # another file
        elif _is_chunk(data, position):
            position += 8 + int.from_bytes(data[position + 4 : position + 8], "big")
        else:
            position = data.find(b"MTrk", position)
            if position < 0:
                break
            faults.add(Fault.BETWEEN)
    return tracks


def _track(data: bytes, position: int, left: int) -> tuple[ReadTrack, int]:
    """The track whose chunk is at `position`, and where the next chunk may be."""
    start = position + 8
    end = start + int.from_bytes(data[position + 4 : start], "big")
    # Where no chunk follows, the length is wrong: the track lasts to the next one at most.
    right = end == len(data) or _is_chunk(data, end)
    stop = end if right else data.find(b"MTrk", start)
    stop = len(data) if stop < 0 else stop
    read = read_track(data[start:stop], left)
    if read.end is not None:
        ended = start + read.end
        if ended == end or (right and data[ended : ended + 4] != b"MTrk"):
            return read, end
        read.faults.add(Fault.LENGTH)
        return read, ended
    if end > len(data) and stop == len(data):
        read.faults.discard(Fault.NO_END)
        read.faults.add(Fault.CUT_OFF)
    elif not right:
        read.faults.add(Fault.LENGTH)
    return read, stop


def _is_chunk(data: bytes, position: int) -> bool:
    """Whether a chunk begins at `position`: one of this format, or an unknown one that fits in."""
    name = data[position : position + 4]
    if name in (b"MTrk", b"MThd"):
        return True
    size = int.from_bytes(data[position + 4 : position + 8], "big")
    return len(name) == 4 and name.isalnum() and position + 8 + size <= len(data)


def _from_the_start(changes: Iterable[T], usual: T) -> tuple[T, ...]:
    """`changes` by their tick; before the first of them what is `usual`, at tick 0."""
    # Stable: of two at one tick the later one in the file holds.
    found = sorted(changes, key=lambda change: change[0])
    return tuple(found) if found and found[0][0] == 0 else (usual, *found)


def _sentence(faults: set[Fault]) -> str:
    *most, last = [fault.value for fault in Fault if fault in faults] or [""]
    said = f"{', '.join(most)}; and {last}" if most else last
    return f"This MIDI file was mended: {said}." if said else ""


def _cut_off() -> UnreadableMusic:
    return UnreadableMusic("This MIDI file is cut off before its end: export or download it again.")


def _damaged() -> UnreadableMusic:
    return UnreadableMusic("This MIDI file is damaged: export or download it again.")
