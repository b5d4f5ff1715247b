"""MIDI bytes <-> NoteSequence; the only file that imports pretty_midi.

Reading folds the sustain pedal into note ends and leaves no two notes of one key overlapping.
Everything that cannot be read becomes one `UnreadableMusic`.
"""

from __future__ import annotations

import bisect
import io
import itertools
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyzzicato.abc_notation import read_abc
from pyzzicato.codecs.multitrack_roll import INSTRUMENTS, PROGRAMS, instrument_of
from pyzzicato.errors import UnreadableMusic
from pyzzicato.limits import MAX_BYTES, MAX_NOTES, MAX_SECONDS, check_music, check_size, too_long
from pyzzicato.midi_events import Event, MidiEvents, Track, read_events
from pyzzicato.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence

if TYPE_CHECKING:
    from pretty_midi import PrettyMIDI

__all__ = ["cut_overlaps", "piano_part", "read_midi", "read_music", "to_pretty_midi", "write_midi"]

_DRUM_CHANNEL = 9
_DEFAULT_TEMPO = 500_000  # microseconds per quarter note, where a file gives none
_DIVISION = 960  # ticks per quarter note that we write: about half a millisecond
_TRUSTED_BYTES = 100_000_000
_PEDAL_DOWN = 64  # the sustain pedal counts as down from this value on


def read_midi(source: bytes | str | os.PathLike[str], *, trusted: bool = False) -> NoteSequence:
    """The notes of a MIDI file, given as its bytes or its path; `qpm` is its first tempo.

    At most 1 MB, 64 tracks, 50,000 notes and 30 minutes. The sustain pedal (controller 64, down
    from 64 on) holds a note until the pedal rises or the same key is struck again. Channel 10
    gives drum notes. Raises UnreadableMusic for everything else, and where there are no notes.
    `trusted` lifts the limits, for a person's own training music: such a file may be 100 MB,
    and may hold no notes.
    """
    most_bytes = _TRUSTED_BYTES if trusted else MAX_BYTES
    data = source if isinstance(source, bytes) else _file_bytes(Path(source), most_bytes)
    if not trusted:
        check_size(len(data))
    midi = read_events(data, most_notes=len(data) if trusted else MAX_NOTES)
    clock = _clock(midi)
    held = _held_notes(midi.tracks)
    # Before the notes are made: their times may be absurd.
    if not trusted and held and clock(max(end for _, end, _ in held)) > MAX_SECONDS:
        raise too_long()
    timed = (note._replace(start=clock(first), end=clock(end)) for first, end, note in held)
    tempos = midi.tempos or ((0, _DEFAULT_TEMPO),)
    sequence = NoteSequence(
        cut_overlaps(note for note in timed if note.end > note.start), qpm=60e6 / tempos[0][1]
    )
    return sequence if trusted else check_music(sequence)


def read_music(data: bytes, file_name: str = "") -> NoteSequence:
    """The notes of a MIDI or ABC file, told apart by content; the name only words the error.

    Raises UnreadableMusic as `read_midi` does, and with a hint for other kinds of file.
    """
    check_size(len(data))
    if data.startswith(b"MThd"):
        return read_midi(data)
    text = _as_text(data)
    if text is not None and _looks_like_abc(text):
        return check_music(read_abc(text))
    raise UnreadableMusic(_what_it_is(data, text, file_name))


def piano_part(sequence: NoteSequence) -> NoteSequence:
    """The pitched notes on the 88 keys (21-108), all as piano; raises UnreadableMusic on none."""
    kept = tuple(
        note._replace(program=0)
        for note in sequence
        if not note.is_drum and LOWEST_KEY <= note.pitch <= HIGHEST_KEY
    )
    if not kept and any(note.is_drum for note in sequence):
        raise UnreadableMusic("There are only drums in this file: choose one with pitched notes.")
    if not kept:
        raise UnreadableMusic("No note here is on a piano's keys: choose music for the piano.")
    return NoteSequence(cut_overlaps(kept), qpm=sequence.qpm)


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


def write_midi(sequence: NoteSequence, *, name: str = "") -> bytes:
    """`sequence` as a MIDI file of format 1, one track per program, 960 ticks per quarter note.

    Times are kept to about half a millisecond at 60 qpm; `name` becomes the title of the first
    track. Drums come first, on channel 10. Where there are several tracks, each has the name of
    its instrument. Tempos outside 10 to 1,000 qpm are written as the nearest of these, times kept.
    """
    import mido

    tempo = min(max(round(60e6 / sequence.qpm), 60_000), 6_000_000)
    head = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo)])
    if name:
        head.insert(0, mido.MetaMessage("track_name", name=name))
    parts: dict[tuple[bool, int], list[Note]] = defaultdict(list)
    for note in cut_overlaps(sequence):
        parts[note.is_drum, note.program].append(note)
    channels = itertools.cycle(channel for channel in range(16) if channel != _DRUM_CHANNEL)
    file = mido.MidiFile(type=1, ticks_per_beat=_DIVISION, charset="utf-8", tracks=[head])
    for is_drum, program in sorted(parts, key=lambda part: (not part[0], part[1])):
        channel = _DRUM_CHANNEL if is_drum else next(channels)
        track = _written_track(parts[is_drum, program], channel, program, tempo)
        if len(parts) > 1:
            track.insert(0, mido.MetaMessage("track_name", name=_track_name(is_drum, program)))
        file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _track_name(is_drum: bool, program: int) -> str:
    """What plays a track: an instrument of the band, or else General MIDI's own name."""
    import pretty_midi

    place = instrument_of(Note(0.0, 1.0, 60, program=program, is_drum=is_drum))
    if place is not None and program == PROGRAMS[place]:
        return INSTRUMENTS[place]
    return "Drums" if is_drum else str(pretty_midi.program_to_instrument_name(program))


def to_pretty_midi(sequence: NoteSequence) -> PrettyMIDI:
    """`sequence` as a `pretty_midi.PrettyMIDI`, one instrument per program, for its piano roll.

    Beware of its `get_piano_roll`: it adds the velocities of overlapping notes.
    """
    import pretty_midi

    result = pretty_midi.PrettyMIDI(resolution=_DIVISION, initial_tempo=sequence.qpm)
    instruments: dict[tuple[bool, int], Any] = {}
    for note in sequence:
        key = (note.is_drum, note.program)
        if key not in instruments:
            instruments[key] = pretty_midi.Instrument(note.program, is_drum=note.is_drum)
            result.instruments.append(instruments[key])
        instruments[key].notes.append(
            pretty_midi.Note(note.velocity, note.pitch, note.start, note.end)
        )
    return result


def _file_bytes(path: Path, most: int) -> bytes:
    """At most `most` + 1 bytes of the file at `path`."""
    try:
        if not path.is_file():
            raise UnreadableMusic(f"There is no file {path}: check its name.")
        with path.open("rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableMusic(f"{path} cannot be opened ({reason}): choose another.") from None


def _held_notes(tracks: tuple[Track, ...]) -> list[tuple[int, int, Note]]:
    """(first tick, last tick, note without times) of every note, the pedal folded in."""
    found: list[tuple[int, int, int, Note]] = []  # start, end, channel, note
    pedal: dict[int, list[Event]] = defaultdict(list)
    for track in tracks:
        found.extend(_struck_notes(track))
        for event in track.events:
            if event.kind == 0xB0:
                pedal[event.channel].append(event)
    last = max((end for _, end, _, _ in found), default=0)
    pressed = {channel: _pressed(events, last) for channel, events in pedal.items()}
    return [
        (start, end if note.is_drum else _released(end, pressed.get(channel, [])), note)
        for start, end, channel, note in found
    ]


def _struck_notes(track: Track) -> list[tuple[int, int, int, Note]]:
    """(start, end, channel, note) as the keys were held; what is never let go ends the track."""
    program = [0] * 16
    sounding: dict[tuple[int, int], list[tuple[int, Note]]] = defaultdict(list)
    found: list[tuple[int, int, int, Note]] = []

    def release(channel: int, pitch: int, tick: int) -> None:
        """First in, first out; one struck at this very tick is let go only where it is alone."""
        held = sounding[channel, pitch]
        if held:
            start, note = held.pop(0)
            found.append((start, max(tick, start + 1), channel, note))

    for tick, kind, channel, a, b in track.events:
        if kind == 0xC0:
            program[channel] = a
        elif kind == 0x90:
            drum = channel == _DRUM_CHANNEL
            note = Note(0.0, 0.0, a, b, program[channel], drum)
            sounding[channel, a].append((tick, note))
        elif kind == 0x80:
            release(channel, a, tick)
    for channel, pitch in list(sounding):
        while sounding[channel, pitch]:
            release(channel, pitch, track.length)
    return found


def _pressed(events: list[Event], last: int) -> list[tuple[int, int]]:
    """(down, up) ticks of one channel's pedal; one that is never lifted ends with the music."""
    spans: list[tuple[int, int]] = []
    down: int | None = None
    for event in sorted(events, key=lambda event: event.tick):
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
    index = bisect.bisect_right(pressed, (end, float("inf"))) - 1
    return max(end, pressed[index][1]) if index >= 0 else end


def _clock(midi: MidiEvents) -> Callable[[int], float]:
    """A function from ticks to seconds, through every change of tempo."""
    ticks, seconds, rates = [0], [0.0], [_DEFAULT_TEMPO / 1e6 / midi.division]
    for tick, tempo in midi.tempos:
        seconds.append(seconds[-1] + (tick - ticks[-1]) * rates[-1])
        ticks.append(tick)
        rates.append(tempo / 1e6 / midi.division)

    def at(tick: int) -> float:
        index = bisect.bisect_right(ticks, tick) - 1
        return seconds[index] + (tick - ticks[index]) * rates[index]

    return at


def _written_track(notes: list[Note], channel: int, program: int, tempo: int) -> Any:
    """The notes of one program as a mido track."""
    import mido

    per_second = _DIVISION * 1e6 / tempo
    events = []
    for note in notes:
        start = round(note.start * per_second)
        end = max(start + 1, round(note.end * per_second))
        # At one tick the ends come first (0), so that a repeated key sounds again.
        events.append((start, 1, note.pitch, note.velocity))
        events.append((end, 0, note.pitch, 0))
    track = mido.MidiTrack([mido.Message("program_change", channel=channel, program=program)])
    now = 0
    for tick, is_on, pitch, velocity in sorted(events):
        kind = "note_on" if is_on else "note_off"
        track.append(
            mido.Message(kind, channel=channel, note=pitch, velocity=velocity, time=tick - now)
        )
        now = tick
    return track


def _as_text(data: bytes) -> str | None:
    """`data` as text, or None where it is not text."""
    if b"\x00" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text if all(mark >= " " or mark in "\t\r\n\f" for mark in text) else None


def _looks_like_abc(text: str) -> bool:
    lines = [line.lstrip() for line in text.splitlines()]
    return any(line.startswith("K:") for line in lines)


def _what_it_is(data: bytes, text: str | None, file_name: str) -> str:
    """One sentence for a file that is neither MIDI nor ABC."""
    if data.startswith(b"PK"):
        return "This is a ZIP archive or compressed score: unpack it and choose a MIDI or ABC file."
    if data.startswith((b"RIFF", b"ID3", b"OggS", b"fLaC", b"FORM")):
        return "This is a sound recording, not notes: choose a MIDI or ABC file."
    if text is not None and text.lstrip().startswith("<"):
        return "This file is XML or a web page: export the music as MIDI and choose that file."
    if text is not None and file_name.lower().endswith((".mid", ".midi")):
        return "This is a text file named like MIDI: export the music as MIDI and choose that file."
    return "This file is neither MIDI nor ABC: choose one that ends in .mid or .abc."
