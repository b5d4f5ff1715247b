"""The multitrack roll: five instruments on the beats of our own little pieces."""

import io

import mido
import numpy as np
import pytest

from pyzzicato.codecs.multitrack_roll import (
    HELD,
    MAX_STEPS,
    STRUCK,
    MultitrackRoll,
    from_sequence,
    sounding,
    struck,
)
from pyzzicato.data.band_midi import from_midi
from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi import write_midi
from pyzzicato.music.instruments import DRUMS, INSTRUMENTS, PROGRAMS, instrument_of
from pyzzicato.music.notes import Note, NoteSequence

ROLL = MultitrackRoll()
PIANO, GUITAR, BASS, STRINGS = range(1, 5)


def band(rng: np.random.Generator, qpm: float = 120.0, steps: int = 64) -> NoteSequence:
    """Notes of all five, on the grid, no key struck while it sounds; drums one step long."""
    seconds = 60 / qpm / 4
    notes = []
    for place, program in enumerate(PROGRAMS):
        for pitch in rng.choice(np.arange(30, 90), 6, replace=False).tolist():
            first = 0
            while first < steps:
                last = first + (1 if place == DRUMS else int(rng.integers(1, 9)))
                drum = place == DRUMS
                notes.append(Note(first * seconds, last * seconds, pitch, 80, program, drum))
                first = last + int(rng.integers(0, 7))
    return NoteSequence(tuple(notes), qpm)


def same(first: NoteSequence, second: NoteSequence) -> bool:
    def rows(music: NoteSequence) -> list[tuple[float, ...]]:
        return sorted((n.program, n.is_drum, n.pitch, n.start, n.end) for n in music)

    return np.allclose(rows(first), rows(second))


def midi(*tracks: list[mido.Message], division: int = 480) -> bytes:
    file = mido.MidiFile(ticks_per_beat=division, tracks=[mido.MidiTrack(t) for t in tracks])
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def on(pitch: int, time: int = 0, channel: int = 0) -> mido.Message:
    return mido.Message("note_on", note=pitch, velocity=80, time=time, channel=channel)


def off(pitch: int, time: int = 480, channel: int = 0) -> mido.Message:
    return mido.Message("note_off", note=pitch, time=time, channel=channel)


def program(number: int, channel: int = 0) -> mido.Message:
    return mido.Message("program_change", program=number, channel=channel)


def tempo(qpm: float, time: int = 0) -> mido.MetaMessage:
    return mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(qpm), time=time)


def meter(above: int, below: int, time: int = 0) -> mido.MetaMessage:
    return mido.MetaMessage("time_signature", numerator=above, denominator=below, time=time)


def notes_of(codes: np.ndarray) -> list[tuple[int, int, int]]:
    """(instrument, step, pitch) of what is struck."""
    return sorted((int(i), int(step), int(p)) for step, i, p in np.argwhere(struck(codes)))


@pytest.mark.parametrize("qpm", [50.0, 120.0, 133.3])
def test_what_is_on_the_grid_comes_back(qpm: float) -> None:
    music = band(np.random.default_rng(5), qpm)
    codes = ROLL.encode(music)
    assert codes.dtype == np.uint8
    assert codes.shape[1:] == (5, 128)
    assert same(ROLL.decode(codes, qpm), music)
    assert (ROLL.encode(ROLL.decode(codes, qpm)) == codes).all()


def test_any_roll_of_a_network_can_be_heard_and_stays_itself() -> None:
    rng = np.random.default_rng(6)
    codes = rng.choice(3, (48, 5, 128), p=[0.8, 0.15, 0.05]).astype(np.uint8)
    music = ROLL.decode(codes)
    again = ROLL.encode(music)
    assert (struck(again) >= struck(codes[: len(again)])).all()
    # Drums have no held steps: one that was held is struck, or ends with its stroke.
    assert (sounding(again)[:, 1:] == sounding(codes[: len(again)])[:, 1:]).all()
    assert (ROLL.encode(ROLL.decode(again)) == again).all()


def test_a_key_struck_again_is_two_notes_and_a_held_one_is_one() -> None:
    music = NoteSequence((Note(0, 0.5, 60), Note(0.5, 1.0, 60)))
    codes = ROLL.encode(music)
    assert codes[:, PIANO, 60].tolist() == [STRUCK, HELD, HELD, HELD] * 2
    assert len(ROLL.decode(codes)) == 2
    assert ROLL.decode(codes[2:4]).notes == (Note(0, 0.25, 60),)


def test_two_players_of_one_instrument_share_their_keys() -> None:
    music = NoteSequence((Note(0, 1.0, 60, 80, 48), Note(0.25, 0.5, 60, 80, 40)))
    strings = ROLL.encode(music)[:, STRINGS, 60]
    assert strings.tolist() == [2, 1, 2, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        (range(8), "Piano"),
        (range(8, 24), "Strings"),
        (range(24, 32), "Guitar"),
        (range(32, 40), "Bass"),
        (range(40, 96), "Strings"),
        (range(96, 104), None),
        (range(104, 112), "Strings"),
        (range(112, 128), None),
    ],
)
def test_instruments_go_by_program(numbers: range, name: str | None) -> None:
    for number in numbers:
        place = instrument_of(Note(0, 1, 60, 80, number))
        assert (None if place is None else INSTRUMENTS[place]) == name
        assert instrument_of(Note(0, 1, 60, 80, number, True)) == DRUMS


def test_a_sequence_says_what_no_instrument_plays() -> None:
    music = NoteSequence((Note(0, 1, 60), Note(0, 1, 72, 80, 98), Note(1, 2, 72, 80, 120)))
    piece = from_sequence(music)
    assert piece.instruments == ("Piano",)
    assert piece.dropped == (
        "2 notes of 2 other instruments were left out: the band has drums, piano, guitar, bass "
        "and strings.",
    )
    assert from_sequence(NoteSequence()).codes.shape == (0, 5, 128)


def test_a_file_is_read_as_its_sequence() -> None:
    music = band(np.random.default_rng(7), 90.0)
    piece = from_midi(write_midi(music))
    assert (piece.codes == ROLL.encode(music)).all()
    assert piece.qpm == pytest.approx(90, rel=1e-5)
    assert piece.instruments == INSTRUMENTS
    assert piece.dropped == ()


def test_drums_alone_and_a_piano_alone_are_a_band() -> None:
    drums = from_midi(midi([on(36, channel=9), off(36, 0, 9), on(38, 480, 9), off(38, 0, 9)]))
    assert drums.instruments == ("Drums",)
    assert notes_of(drums.codes) == [(DRUMS, 0, 36), (DRUMS, 4, 38)]
    assert from_midi(midi([on(60), off(60)])).instruments == ("Piano",)


def test_forty_tracks_come_together() -> None:
    tracks = [
        [program(7 * place % 56, place % 9), on(40 + place, 120 * place, place % 9),
         off(40 + place, 480, place % 9)]
        for place in range(40)
    ]  # fmt: skip
    piece = from_midi(midi(*tracks))
    assert piece.instruments == ("Piano", "Guitar", "Bass", "Strings")
    assert len(notes_of(piece.codes)) == 40
    assert {(step, pitch) for _, step, pitch in notes_of(piece.codes)} == {
        (place, 40 + place) for place in range(40)
    }


def test_without_a_tempo_it_is_120_in_four_four() -> None:
    piece = from_midi(midi([on(60), off(60)]))
    assert (piece.qpm, piece.meter, piece.dropped) == (120.0, (4, 4), ())


def test_a_changing_tempo_moves_no_note_off_its_beat() -> None:
    quarters = [message for pitch in range(60, 68) for message in (on(pitch), off(pitch))]
    changes = [tempo(60), tempo(97, 480), tempo(200, 480), tempo(61, 960)]
    piece = from_midi(midi(changes, quarters))
    assert notes_of(piece.codes) == [(PIANO, 4 * n, 60 + n) for n in range(8)]
    assert piece.qpm == pytest.approx(61, abs=0.01)
    assert (ROLL.encode(piece.sequence()) == piece.codes).all()
    assert piece.sequence().qpm == piece.qpm
    assert piece.dropped == (
        "The tempo changes: the notes follow the beats, at one tempo throughout.",
    )


def test_a_changing_meter_is_told_and_the_usual_one_kept() -> None:
    quarters = [message for pitch in range(60, 68) for message in (on(pitch), off(pitch))]
    piece = from_midi(midi([meter(4, 4), meter(3, 4, 960), meter(3, 4, 480)], quarters))
    assert notes_of(piece.codes) == [(PIANO, 4 * n, 60 + n) for n in range(8)]
    assert piece.meter == (3, 4)
    assert piece.dropped == (
        "The meter changes: the notes follow the beats, whatever bar they are in.",
    )


def test_odd_divisions_and_odd_orders_are_read() -> None:
    # 96 ticks a quarter; the new note is written before the end of the last one.
    piece = from_midi(midi([on(60), on(60, 96), off(60, 0), off(60, 96)], division=96))
    assert piece.codes[:, PIANO, 60].tolist() == [2, 1, 1, 1] * 2
    hanging = from_midi(midi([on(60), on(64, 480), off(64, 480)]))
    assert sounding(hanging.codes)[:, PIANO, 60].all()


def test_what_no_instrument_plays_is_refused() -> None:
    with pytest.raises(UnreadableMusic, match="No drums, piano"):
        from_midi(midi([program(96), on(72), off(72)]))
    with pytest.raises(UnreadableMusic, match="not a MIDI file"):
        from_midi(b"X:1\nK:C\nC")
    with pytest.raises(UnreadableMusic, match="cannot be opened"):
        from_midi("there is no such file.mid")


def test_a_small_file_cannot_ask_for_a_large_roll() -> None:
    longest = 2**27
    with pytest.raises(UnreadableMusic, match="2,048 bars"):
        from_midi(midi([on(60), off(60, longest), on(60, longest), off(60)], division=1))
    with pytest.raises(UnreadableMusic, match="2,048 bars"):
        ROLL.encode(NoteSequence((Note(0, MAX_STEPS / 8 + 1, 60),)))
