"""The parts of music for several instruments: told apart, written as MIDI, heard alone."""

import io
import zipfile

import mido
import numpy as np
import pretty_midi
import pytest
import soundfile

from pyzzicato.formats.midi import read_midi, write_midi
from pyzzicato.music.instruments import INSTRUMENTS, OTHERS, band_notes, is_band, parts_of
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.render import audio
from pyzzicato.render.stems import stem_sounds, stems_file
from tests.small_band import band_piece

RATE = 22050
PIANO = NoteSequence((Note(0, 1, 60), Note(1, 2, 64, program=5)))
RAIN = Note(0, 1, 72, program=96)


def test_a_band_is_more_than_a_piano() -> None:
    assert is_band(band_piece(1))
    assert is_band(PIANO, band_piece(1))
    assert not is_band(PIANO)
    assert not is_band(PIANO.merge([RAIN]))
    assert not is_band()


def test_every_instrument_has_its_part() -> None:
    piece = band_piece(2)
    parts = parts_of(piece)
    assert tuple(parts) == INSTRUMENTS
    assert NoteSequence(tuple(n for part in parts.values() for n in part)) == piece
    assert all(note.is_drum for note in parts["Drums"])
    assert {note.program for note in parts["Strings"]} == {48}


def test_notes_of_other_instruments_are_a_part_of_their_own_or_left_out() -> None:
    mixed = PIANO.merge([RAIN])
    assert {name: len(part) for name, part in parts_of(mixed).items()} == {"Piano": 2, OTHERS: 1}
    assert band_notes(mixed) == NoteSequence((Note(0, 1, 60), Note(1, 2, 64)))


def test_each_instrument_plays_all_of_its_kind() -> None:
    organ, flute, kit = Note(0, 1, 60, 50, 19), Note(0, 2, 60, 90, 73), Note(0, 1, 40, 80, 8, True)
    strings = Note(0, 2, 60, 90, 48)
    assert band_notes(NoteSequence((organ, flute, kit))).notes == (
        kit._replace(program=0),
        strings,
    )


def test_midi_has_a_named_track_for_each_and_drums_on_channel_10() -> None:
    file = mido.MidiFile(file=io.BytesIO(write_midi(band_piece(1), name="Ours")))
    tracks = file.tracks[1:]
    assert [track.name for track in tracks] == list(INSTRUMENTS)
    channels = [next(m.channel for m in track if m.type == "note_on") for track in tracks]
    assert channels == [9, 0, 1, 2, 3]
    programs = [next(m.program for m in t if m.type == "program_change") for t in tracks]
    assert programs == [0, 0, 25, 33, 48]
    assert file.tracks[0].name == "Ours"


def test_midi_comes_back_as_it_was() -> None:
    piece = band_piece()
    back = read_midi(write_midi(piece))
    assert [n[2:] for n in back] == [n[2:] for n in piece]
    np.testing.assert_allclose([n[:2] for n in back], [n[:2] for n in piece], atol=0.001)
    theirs = pretty_midi.PrettyMIDI(io.BytesIO(write_midi(piece)))
    counts = {part.name: len(part.notes) for part in theirs.instruments}
    assert counts == {name: len(part) for name, part in parts_of(piece).items()}


def test_midi_of_one_instrument_has_no_names() -> None:
    file = mido.MidiFile(file=io.BytesIO(write_midi(PIANO.trim(0, 1))))
    assert [track.name for track in file.tracks] == ["", ""]


def test_an_instrument_outside_the_band_has_its_general_midi_name() -> None:
    file = mido.MidiFile(file=io.BytesIO(write_midi(PIANO.merge([RAIN]))))
    assert [track.name for track in file.tracks[1:]] == ["Piano", "Electric Piano 2", "FX 1 (rain)"]


def test_stems_add_up_to_the_mix() -> None:
    piece = band_piece(2)
    stems = stem_sounds(piece, RATE, "built-in")
    assert tuple(stems) == INSTRUMENTS
    together = sum(stems.values(), np.zeros_like(stems["Drums"]))
    mix = audio.render(piece, RATE, "built-in")
    assert together.shape == mix.shape
    assert np.abs(together - mix).max() < 0.001
    assert all(np.abs(stem).max() > 0.02 for stem in stems.values())


def test_a_zip_has_a_midi_and_a_wav_file_of_each() -> None:
    piece = band_piece(1)
    with zipfile.ZipFile(io.BytesIO(stems_file(piece, "ours", "built-in"))) as archive:
        wanted = [f"ours-{name.lower()}.{kind}" for kind in ("mid", "wav") for name in INSTRUMENTS]
        assert archive.namelist() == wanted
        bass = read_midi(archive.read("ours-bass.mid"))
        assert [(n.pitch, n.program) for n in bass] == [
            (n.pitch, n.program) for n in parts_of(piece)["Bass"]
        ]
        lengths = [
            soundfile.info(io.BytesIO(archive.read(name))).frames
            for name in wanted[len(wanted) // 2 :]
        ]
        assert len(set(lengths)) == 1


def test_nothing_has_no_stems() -> None:
    assert stem_sounds(NoteSequence()) == {}
    assert parts_of(NoteSequence()) == {}


@pytest.mark.parametrize("alone", INSTRUMENTS)
def test_each_instrument_can_be_heard_alone(alone: str) -> None:
    part = parts_of(band_piece(1))[alone]
    sound = stem_sounds(part, RATE, "built-in")[alone]
    assert np.array_equal(sound, audio.render(part, RATE, "built-in"))
    assert np.abs(sound).max() > 0.02
