"""MIDI files made message by message, or byte by byte, for tests."""

import io
import struct

import mido
import numpy as np

from pyzzicato.music.notes import Note, NoteSequence, cut_overlaps


def midi(*tracks: list[mido.Message], division: int = 480, kind: int = 1) -> bytes:
    """A MIDI file of these tracks, times in ticks since the message before."""
    file = mido.MidiFile(
        type=kind, ticks_per_beat=division, tracks=[mido.MidiTrack(t) for t in tracks]
    )
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def on(pitch: int = 60, time: int = 0, velocity: int = 80, channel: int = 0) -> mido.Message:
    return mido.Message("note_on", note=pitch, velocity=velocity, time=time, channel=channel)


def off(pitch: int = 60, time: int = 480, channel: int = 0) -> mido.Message:
    return mido.Message("note_off", note=pitch, time=time, channel=channel)


def pedal(value: int, time: int = 0, channel: int = 0) -> mido.Message:
    return mido.Message("control_change", control=64, value=value, time=time, channel=channel)


def tempo(microseconds: int, time: int = 0) -> mido.MetaMessage:
    return mido.MetaMessage("set_tempo", tempo=microseconds, time=time)


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack(">L", len(data)) + data


def raw(track: bytes, *, kind: int = 1, tracks: int = 1, division: int = 480) -> bytes:
    """A MIDI file of one track given byte by byte."""
    return chunk(b"MThd", struct.pack(">HHH", kind, tracks, division & 0xFFFF)) + chunk(
        b"MTrk", track
    )


def spans(sequence: NoteSequence) -> list[tuple[float, float, int]]:
    return [(round(n.start, 4), round(n.end, 4), n.pitch) for n in sequence]


def random_music(rng: np.random.Generator, count: int = 200, programs: int = 3) -> NoteSequence:
    starts = rng.uniform(0, 60, count)
    notes = (
        Note(start, start + length, int(pitch), int(velocity), int(program))
        for start, length, pitch, velocity, program in zip(
            starts,
            rng.uniform(0.02, 3, count),
            rng.integers(21, 109, count),
            rng.integers(1, 128, count),
            rng.integers(0, programs, count),
            strict=True,
        )
    )
    return NoteSequence(cut_overlaps(notes), qpm=float(rng.uniform(40, 200)))
