"""MIDI bytes <-> NoteSequence; the only file that imports pretty_midi.

Reading folds the sustain pedal into note ends and leaves no two notes of one key overlapping.
Everything that cannot be read becomes one `UnreadableMusic`; what is broken and can be read all
the same is, and a `Reading` says what was mended.
"""

from __future__ import annotations

import codecs
import io
import itertools
import os
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.abc.notation import read_abc_tune, titles_of_abc
from pyzzicato.formats.midi_events import is_midi, read_events
from pyzzicato.formats.midi_notes import DRUM_CHANNEL, clock, pedalled_notes
from pyzzicato.music.instruments import INSTRUMENTS, PROGRAMS, instrument_of
from pyzzicato.music.limits import (
    MAX_BYTES,
    MAX_NOTES,
    MAX_SECONDS,
    check_music,
    check_size,
    too_long,
)
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence, cut_overlaps

if TYPE_CHECKING:
    from pretty_midi import PrettyMIDI

__all__ = [
    "Reading",
    "midi_reading",
    "music_reading",
    "piano_part",
    "read_midi",
    "read_music",
    "to_pretty_midi",
    "tunes_in",
    "write_midi",
]

_DIVISION = 960  # ticks per quarter note that we write: about half a millisecond
_TRUSTED_BYTES = 100_000_000
# Lines of text end at LF, CR and CRLF only; "K:" is the last field of every ABC header.
_ABC_KEY = re.compile(r"(?:\A|[\r\n])[ \t]*K:")
_MARKED = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks and what they mark; the longer ones first."""


class Reading(NamedTuple):
    """The music of a file, and sentences for the person: what was mended to read it."""

    music: NoteSequence
    said: tuple[str, ...] = ()


def read_midi(source: bytes | str | os.PathLike[str], *, trusted: bool = False) -> NoteSequence:
    """The notes of a MIDI file, given as its bytes or its path; see `midi_reading`."""
    return midi_reading(source, trusted=trusted).music


def midi_reading(source: bytes | str | os.PathLike[str], *, trusted: bool = False) -> Reading:
    """A MIDI file, given as its bytes or its path; `qpm` is its tempo when the first note begins.

    At most 1 MB, 64 tracks, 50,000 notes and 30 minutes. The sustain pedal (controller 64, down
    from 64 on) holds a note until the pedal rises or the same key is struck again. Channel 10
    gives drum notes. Raises UnreadableMusic for everything else, and where there are no notes.
    `trusted` lifts the limits, for a person's own training music: such a file may be 100 MB,
    and may hold no notes, but has to be whole.
    """
    most_bytes = _TRUSTED_BYTES if trusted else MAX_BYTES
    data = source if isinstance(source, bytes) else _file_bytes(Path(source), most_bytes)
    if not trusted:
        check_size(len(data))
    midi = read_events(data, len(data) if trusted else MAX_NOTES, whole=trusted)
    seconds = clock(midi)
    held = pedalled_notes(midi.tracks)
    # Before the notes are made: their times may be absurd.
    if not trusted and held and seconds(max(note.end for note in held)) > MAX_SECONDS:
        raise too_long()
    timed = (
        Note(seconds(n.start), seconds(n.end), n.pitch, n.velocity, n.program, n.is_drum)
        for n in held
    )
    first = min((note.start for note in held), default=0)
    tempo = [tempo for tick, tempo in midi.tempos if tick <= first][-1]
    # Of the shortest notes of absurd tempos nothing is left in floating point.
    notes = cut_overlaps(note for note in timed if note.end > note.start)
    sequence = NoteSequence(notes, qpm=60e6 / tempo)
    said = (midi.mended,) if midi.mended else ()
    return Reading(sequence if trusted else check_music(sequence), said)


def read_music(data: bytes, file_name: str = "") -> NoteSequence:
    """The notes of a MIDI or ABC file; see `music_reading`."""
    return music_reading(data, file_name).music


def music_reading(data: bytes, file_name: str = "", tune: int | None = None) -> Reading:
    """A MIDI or ABC file, told apart by content; the name only words the error.

    Of an ABC file it is the tune numbered `tune`, from 1, or else the first with notes. Raises
    UnreadableMusic as `midi_reading` does, and with a hint for other kinds of file.
    """
    check_size(len(data))
    if is_midi(data):
        if tune is not None:
            raise UnreadableMusic("A MIDI file holds one piece: leave the number of the tune out.")
        return midi_reading(data)
    text = _as_text(data)
    if text is not None and _ABC_KEY.search(text):
        found = read_abc_tune(text, tune)
        return Reading(check_music(found.sequence), found.said)
    raise UnreadableMusic(_what_it_is(data, text, file_name))


def tunes_in(data: bytes) -> tuple[str, ...]:
    """The titles of the tunes in an ABC file, in order; none for any other file."""
    text = None if is_midi(data) else _as_text(data)
    return titles_of_abc(text) if text is not None and _ABC_KEY.search(text) else ()


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
    channels = itertools.cycle(channel for channel in range(16) if channel != DRUM_CHANNEL)
    file = mido.MidiFile(type=1, ticks_per_beat=_DIVISION, charset="utf-8", tracks=[head])
    for is_drum, program in sorted(parts, key=lambda part: (not part[0], part[1])):
        channel = DRUM_CHANNEL if is_drum else next(channels)
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
    for mark, encoding in _MARKED:
        if data.startswith(mark):
            text = data.decode(encoding, "ignore")
            return None if "\0" in text else text
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text if all(mark >= " " or mark in "\t\r\n\f" for mark in text) else None


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
