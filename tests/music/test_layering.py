"""Takes played at once: one piece, one program and one MIDI track each."""

import io

import mido
import pytest

from pyzzicato.formats.midi import read_midi, write_midi
from pyzzicato.music.layering import PROGRAMS, layered
from pyzzicato.music.notes import Note, NoteSequence


def take(number: int) -> NoteSequence:
    """Two notes; all takes strike the same key at the same time."""
    return NoteSequence((Note(0.0, 0.5, 60), Note(0.5, 1.0, 60 + number)), qpm=90.0)


def test_every_take_has_a_program_and_its_notes() -> None:
    piece = layered([take(n) for n in range(10)])
    assert len(piece) == 20
    assert piece.qpm == 90.0
    for number in range(10):
        mine = tuple(note for note in piece if note.program == PROGRAMS[number])
        assert tuple(note._replace(program=0) for note in mine) == take(number).notes


def test_every_take_is_a_track_and_comes_back() -> None:
    data = write_midi(layered([take(n) for n in range(10)]))
    file = mido.MidiFile(file=io.BytesIO(data))
    sounding = [track for track in file.tracks if any(m.type == "note_on" for m in track)]
    assert len(sounding) == 10
    channels = {m.channel for track in sounding for m in track if m.type == "note_on"}
    assert len(channels) == 10, "so that each can be turned down"
    assert len(read_midi(data)) == 20


def test_drums_stay_drums_and_programs_can_be_chosen() -> None:
    drums = NoteSequence((Note(0.0, 0.1, 38, 80, 0, True),))
    piece = layered([take(1), drums], programs=(4, 5))
    assert {(note.program, note.is_drum) for note in piece} == {(4, False), (0, True)}


def test_nothing_is_an_empty_piece_and_too_many_are_refused() -> None:
    assert layered([]) == NoteSequence()
    assert len(set(PROGRAMS)) == len(PROGRAMS) == 15
    with pytest.raises(ValueError, match="at most 15 takes"):
        layered([take(0)] * 16)
    with pytest.raises(ValueError, match="a program of its own"):
        layered([take(0)], programs=(1, 1))
