"""The events of a MIDI file -> its notes: which note off ends which note, and the time in seconds.

A note off ends the note of its key that was struck first (first in, first out), so a key that is
struck again just before it is let go keeps its length. What is never let go ends with its track.
All Notes Off lets go every key of its channel, All Sound Off silences it even under the pedal;
both act on all tracks, as the pedal does.
"""

from __future__ import annotations

import bisect
import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from pyzzicato.formats.midi_events import MidiEvents
from pyzzicato.formats.midi_track import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    CONTROL,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    SUSTAIN,
    Event,
    Track,
)

__all__ = ["DRUM_CHANNEL", "TickNote", "clock", "pedalled_notes", "struck_notes"]

DRUM_CHANNEL = 9  # counted from 0
_PEDAL_DOWN = 64  # the sustain pedal counts as down from this value on


class TickNote(NamedTuple):
    """A note in ticks, at least one long; `program` is that of its channel when it was struck."""

    start: int
    end: int
    channel: int
    pitch: int
    velocity: int
    program: int

    @property
    def is_drum(self) -> bool:
        """Whether its channel is that of the drums."""
        return self.channel == DRUM_CHANNEL


def struck_notes(tracks: Iterable[Track]) -> list[TickNote]:
    """The notes as their keys were held, without the pedal."""
    tracks = tuple(tracks)
    return _struck(tracks, _controls(tracks))


def pedalled_notes(tracks: Iterable[Track]) -> list[TickNote]:
    """The notes as they sound: the sustain pedal holds those that are not drums."""
    tracks = tuple(tracks)
    controls = _controls(tracks)
    notes = _struck(tracks, controls)
    last = max((note.end for note in notes), default=0)
    pressed = {channel: _pressed(events, last) for channel, events in controls[SUSTAIN].items()}
    silences = _ticks(controls, ALL_SOUND_OFF)

    def sounding(note: TickNote) -> TickNote:
        if note.is_drum or note.channel not in pressed:
            return note
        end = _released(note.end, pressed[note.channel])
        silence = _next(silences.get(note.channel), note.start)
        if silence is not None:
            end = min(end, silence)
        return note if end == note.end else TickNote(note.start, end, *note[2:])

    return [sounding(note) for note in notes]


def clock(midi: MidiEvents) -> Callable[[int], float]:
    """A function from ticks to seconds, through every change of tempo."""
    ticks, seconds, rates = [0], [0.0], [midi.tempos[0][1] / 1e6 / midi.division]
    for tick, tempo in midi.tempos:
        seconds.append(seconds[-1] + (tick - ticks[-1]) * rates[-1])
        ticks.append(tick)
        rates.append(tempo / 1e6 / midi.division)

    def at(tick: int) -> float:
        index = bisect.bisect_right(ticks, tick) - 1
        return seconds[index] + (tick - ticks[index]) * rates[index]

    return at


def _controls(tracks: Iterable[Track]) -> dict[int, dict[int, list[Event]]]:
    """The events of each controller by its channel, in order of time, of all tracks together."""
    found: dict[int, dict[int, list[Event]]] = {
        control: defaultdict(list) for control in (SUSTAIN, ALL_SOUND_OFF, ALL_NOTES_OFF)
    }
    for track in tracks:
        for event in track.events:
            if event.kind == CONTROL:
                found[event.a][event.channel].append(event)
    for channels in found.values():
        for events in channels.values():
            events.sort(key=lambda event: event.tick)
    return found


def _ticks(controls: Mapping[int, Mapping[int, list[Event]]], *which: int) -> dict[int, list[int]]:
    """When any of some controllers was used, by its channel, in order."""
    found: dict[int, list[int]] = defaultdict(list)
    for control in which:
        for channel, events in controls[control].items():
            found[channel] += (event.tick for event in events)
    return {channel: sorted(ticks) for channel, ticks in found.items()}


def _struck(
    tracks: Iterable[Track], controls: Mapping[int, Mapping[int, list[Event]]]
) -> list[TickNote]:
    silences = _ticks(controls, ALL_NOTES_OFF, ALL_SOUND_OFF)
    return [note for track in tracks for note in _track_notes(track, silences)]


def _track_notes(track: Track, silences: Mapping[int, list[int]]) -> list[TickNote]:
    """The notes of one track; `silences` are ticks by channel at which all keys are let go."""
    programs = [0] * 16
    held: dict[tuple[int, int], deque[tuple[int, int, int]]] = defaultdict(deque)
    found: list[TickNote] = []

    def release(channel: int, pitch: int, tick: int) -> None:
        """Ends the first note of a key, after those that All Notes Off had ended before."""
        struck = held[channel, pitch]
        while struck:
            start, velocity, program = struck.popleft()
            silence = _next(silences.get(channel), start)
            end = tick if silence is None or silence > tick else silence
            found.append(TickNote(start, max(end, start + 1), channel, pitch, velocity, program))
            if silence is None or silence >= tick:
                return

    for tick, kind, channel, a, b in track.events:
        if kind == NOTE_ON:
            held[channel, a].append((tick, b, programs[channel]))
        elif kind == NOTE_OFF:
            release(channel, a, tick)
        elif kind == PROGRAM:
            programs[channel] = a
    for (channel, pitch), struck in held.items():
        while struck:
            release(channel, pitch, track.length)
    return found


def _next(ticks: list[int] | None, after: int) -> int | None:
    """The first of `ticks`, which are in order, that comes `after` another."""
    place = bisect.bisect_right(ticks, after) if ticks else 0
    return ticks[place] if ticks and place < len(ticks) else None


def _pressed(events: Iterable[Event], last: int) -> list[tuple[int, int]]:
    """(down, up) ticks of one channel's pedal; one that is never lifted ends with the music."""
    spans: list[tuple[int, int]] = []
    down: int | None = None
    for event in events:
        if event.b >= _PEDAL_DOWN and down is None:
            down = event.tick
        elif event.b < _PEDAL_DOWN and down is not None:
            spans.append((down, event.tick))
            down = None
    if down is not None and down < last:
        spans.append((down, last))
    return spans


def _released(end: int, pressed: list[tuple[int, int]]) -> int:
    """The tick at which a note that was let go at `end` falls silent."""
    index = bisect.bisect_right(pressed, (end, math.inf)) - 1
    return max(end, pressed[index][1]) if index >= 0 else end
