"""Codecs: what goes in comes out again, on music of our own."""

import numpy as np
import pytest

from pyzzicato.codecs.performance import (
    BINS,
    DURATION,
    FINE,
    PITCH,
    TIME,
    VELOCITY,
    Performance,
    codes_of,
    duration_seconds,
    time_bounds,
)
from pyzzicato.codecs.piano_roll import (
    KEYS,
    ONSET,
    SOUNDING,
    PianoRoll,
    RollReader,
    draw_roll,
    note_array,
)
from pyzzicato.codecs.piano_roll import (
    VELOCITY as LOUDNESS,
)
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence

ROLL, PERFORMANCE = PianoRoll(), Performance()
NOTHING = NoteSequence()
OFF_THE_PIANO = NoteSequence(
    (Note(0, 1, LOWEST_KEY - 1), Note(0, 1, HIGHEST_KEY + 1), Note(0, 1, 60, 80, 0, True))
)
MUSIC = {
    "scale": NoteSequence(tuple(Note(n / 4, n / 4 + 0.25, 60 + n, 40 + n) for n in range(12))),
    "chord": NoteSequence(tuple(Note(0.5, 2.5, pitch, 90) for pitch in (48, 55, 60, 64))),
    "one key again and again": NoteSequence(
        tuple(Note(n / 10, (n + 1) / 10, 72, 30 + n) for n in range(20))
    ),
    "a held bass": NoteSequence(
        (Note(0, 8, 36, 100), *(Note(n, n + 0.5, 60, 64) for n in range(8)))
    ),
    "the ends of the keyboard": NoteSequence(
        (Note(0, 0.05, LOWEST_KEY, 1), Note(0.05, 0.1, HIGHEST_KEY, 127))
    ),
    "a long silence": NoteSequence((Note(0, 0.5, 60), Note(30, 30.5, 60))),
    "nothing": NOTHING,
}
every_music = pytest.mark.parametrize("name", MUSIC)


@every_music
def test_a_roll_keeps_music_on_its_grid(name: str) -> None:
    music = MUSIC[name]
    roll = ROLL.encode(music)
    assert roll.dtype == np.float32
    assert roll.shape == (round(music.duration * 20), 3, KEYS)
    back = ROLL.decode(roll)
    assert [(n.pitch, n.velocity) for n in back] == [(n.pitch, n.velocity) for n in music]
    assert [t for n in back for t in n[:2]] == pytest.approx([t for n in music for t in n[:2]])


@pytest.mark.parametrize("steps_per_second", [10.0, 20.0, 50.0])
def test_a_roll_moves_times_by_half_a_step_at_most(steps_per_second: float) -> None:
    rng = np.random.default_rng(3)
    starts = np.cumsum(rng.uniform(0.2, 0.5, 80))
    music = NoteSequence(
        tuple(Note(s, s + rng.uniform(0.15, 2.0), int(rng.integers(21, 109))) for s in starts)
    )
    apart = NoteSequence(tuple({note.pitch: note for note in music}.values()))
    codec = PianoRoll(steps_per_second)
    back = {n.pitch: n for n in codec.decode(codec.encode(apart))}
    assert len(back) == len(apart)
    for note in apart:
        assert abs(back[note.pitch].start - note.start) <= 0.5001 / steps_per_second
        assert abs(back[note.pitch].end - note.end) <= 0.5001 / steps_per_second


def test_a_roll_leaves_out_what_no_piano_has() -> None:
    assert len(ROLL.decode(ROLL.encode(OFF_THE_PIANO))) == 0
    mixed = MUSIC["chord"].merge(OFF_THE_PIANO.notes)
    assert ROLL.decode(ROLL.encode(mixed)).notes == MUSIC["chord"].notes


def test_a_key_struck_again_while_it_sounds_is_two_notes() -> None:
    music = NoteSequence((Note(0.0, 1.0, 60, 50), Note(1.0, 2.0, 60, 90)))
    roll = ROLL.encode(music)
    assert roll[:, SOUNDING, 39].all(), "there is no gap between them"
    assert np.flatnonzero(roll[:, ONSET, 39]).tolist() == [0, 20]
    assert ROLL.decode(roll) == music


def test_a_very_short_note_lasts_one_step() -> None:
    back = ROLL.decode(ROLL.encode(NoteSequence((Note(1.0, 1.001, 60),))))
    assert back.notes == (Note(1.0, 1.05, 60),)


def test_a_window_of_a_roll_shows_held_keys_without_their_onset() -> None:
    notes = note_array(NoteSequence((Note(0.0, 2.0, 60, 100), Note(1.5, 4.0, 64, 100))))
    roll = draw_roll(notes, first=1.0, steps=40, steps_per_second=20)
    assert roll[:20, SOUNDING, 39].all()
    assert not roll[20:, SOUNDING, 39].any()
    assert not roll[:, ONSET, 39].any()
    assert np.flatnonzero(roll[:, ONSET, 43]).tolist() == [10]
    assert roll[10:, SOUNDING, 43].all()
    assert roll[10, LOUDNESS, 43] == pytest.approx(100 / 127)


def test_a_reader_gives_each_note_when_it_ends() -> None:
    roll, reader, told = ROLL.encode(MUSIC["a held bass"]), RollReader(20), []
    for step in roll:
        told.append(reader.push(step[SOUNDING] > 0, step[ONSET] > 0, step[LOUDNESS]))
    assert reader.held()[36 - LOWEST_KEY] == len(roll)
    assert reader.held()[60 - LOWEST_KEY] == 0
    assert [place for place, notes in enumerate(told) if notes] == [10 + 20 * n for n in range(8)]
    assert reader.close() == [Note(0.0, 8.0, 36, 100)]
    assert reader.close() == []


@every_music
def test_a_performance_keeps_onsets_keys_and_nearly_the_rest(name: str) -> None:
    music = MUSIC[name]
    codes = PERFORMANCE.encode(music)
    assert codes.dtype == np.int64
    assert codes.shape == (len(music), 5)
    back = PERFORMANCE.decode(codes)
    assert [n.pitch for n in back] == [n.pitch for n in music]
    assert [n.start for n in back] == pytest.approx([n.start for n in music], abs=0.005)
    for made, note in zip(back, music, strict=True):
        # A bin of 96 between 20 ms and 10 s is 6.8 % wide.
        length = note.end - note.start
        assert made.end - made.start == pytest.approx(length, rel=0.035)
        assert abs(made.velocity - note.velocity) <= 2


@every_music
def test_codes_are_in_their_ranges_and_stay_as_they_are(name: str) -> None:
    codes = PERFORMANCE.encode(MUSIC[name])
    for column, bins in zip((TIME, PITCH, DURATION, VELOCITY), BINS, strict=True):
        assert ((codes[:, column] >= 0) & (codes[:, column] < bins)).all()
    assert (codes[:, FINE] >= 0).all()
    assert (PERFORMANCE.encode(PERFORMANCE.decode(codes)) == codes).all()


def test_a_performance_leaves_out_what_no_piano_has() -> None:
    assert len(PERFORMANCE.encode(OFF_THE_PIANO)) == 0
    assert PERFORMANCE.decode(np.zeros((0, 5), np.int64)) == NOTHING


def test_the_order_of_a_performance_is_time_then_pitch_and_doubles_are_kept_once() -> None:
    rows = np.array([(1.0, 2.0, 60, 80), (0.0, 1.0, 64, 80), (0.0, 1.0, 48, 80)])
    assert codes_of(rows)[:, PITCH].tolist() == [27, 43, 39]
    doubled = np.array([(0.0, 1.0, 60, 80), (0.003, 1.0, 60, 90), (0.02, 1.0, 60, 90)])
    assert codes_of(doubled)[:, TIME].tolist() == [0, 2]


def test_the_bins_of_time_are_exact_to_a_second_and_then_widen() -> None:
    bounds, lengths = time_bounds(), duration_seconds()
    assert len(bounds) == BINS[0]
    assert bounds[:101].tolist() == list(range(101))
    widths = np.diff(bounds[100:])
    assert (widths > 0).all()
    assert widths[-1] > widths[1]
    assert bounds[-1] < 1000
    assert len(lengths) == BINS[2]
    assert (lengths[0], lengths[-1]) == pytest.approx((0.02, 10.0))


def test_velocities_at_both_ends_stay_what_midi_allows() -> None:
    music = NoteSequence((Note(0, 1, 60, 1), Note(1, 2, 60, 127)))
    assert [n.velocity for n in PERFORMANCE.decode(PERFORMANCE.encode(music))] == [2, 126]
    assert [n.velocity for n in ROLL.decode(ROLL.encode(music))] == [1, 127]
