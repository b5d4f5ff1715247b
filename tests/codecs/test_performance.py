"""The performance codec: what it keeps exactly, what it rounds, and by how much."""

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
from pyzzicato.music.notes import Note, NoteSequence

CODEC = Performance()
STEP = 500 ** (1 / 95)  # from one duration bin to the next


def made_up(count: int = 400, rng_seed: int = 1) -> NoteSequence:
    """Notes of every key, length and loudness that never strike a key that still sounds."""
    rng = np.random.default_rng(rng_seed)
    notes: list[Note] = []
    when, free = 0.0, np.zeros(128)
    while len(notes) < count:
        when += float(
            rng.choice([0.0, 0.004, 0.05, 0.31, 1.7, 12.0], p=[0.2, 0.2, 0.3, 0.2, 0.08, 0.02])
        )
        pitch = int(rng.integers(21, 109))
        if free[pitch] > when:
            continue
        length = float(np.exp(rng.uniform(np.log(0.02), np.log(10))))
        free[pitch] = when + length + 0.7
        notes.append(Note(when, when + length, pitch, int(rng.integers(1, 128))))
    return NoteSequence(tuple(notes))


def test_made_up_music_comes_back_within_the_bins() -> None:
    music = made_up()
    back = CODEC.decode(CODEC.encode(music))
    assert len(back) == len(music)

    def in_order(notes: NoteSequence) -> list[Note]:
        return sorted(notes, key=lambda note: (round(note.start * 100), note.pitch))

    for was, now in zip(in_order(music), in_order(back), strict=True):
        assert now.pitch == was.pitch
        assert now.start == pytest.approx(was.start, abs=0.00501)
        assert abs(now.velocity - was.velocity) <= 2
        ratio = (now.end - now.start) / (was.end - was.start)
        assert STEP**-0.501 <= ratio <= STEP**0.501


def test_codes_come_back_exactly_from_what_was_decoded() -> None:
    codes = CODEC.encode(made_up(rng_seed=2))
    np.testing.assert_array_equal(CODEC.encode(CODEC.decode(codes)), codes)


@pytest.mark.parametrize("silence", [0.99, 1.0, 1.01, 1.23, 4.56, 9.99, 10.0, 73.21, 600.0])
def test_a_long_silence_is_exact(silence: float) -> None:
    music = NoteSequence((Note(0.0, 0.4, 60), Note(silence, silence + 0.4, 64)))
    codes = CODEC.encode(music)
    assert CODEC.decode(codes).notes[1].start == pytest.approx(silence, abs=1e-9)
    assert codes[1, TIME] <= 127
    assert codes[1, FINE] == 0 or silence > 1


def test_silence_before_the_first_note_is_kept() -> None:
    back = CODEC.decode(CODEC.encode(NoteSequence((Note(3.21, 4.0, 60),))))
    assert back.notes[0].start == pytest.approx(3.21)


def test_a_repeated_key_is_kept_and_ends_the_note_before() -> None:
    music = NoteSequence((Note(0.0, 3.0, 60), Note(0.5, 3.0, 60), Note(0.51, 3.0, 60)))
    back = CODEC.decode(CODEC.encode(music)).notes
    assert [note.start for note in back] == pytest.approx([0.0, 0.5, 0.51])
    assert back[0].end == back[1].start
    assert back[1].end == back[2].start
    assert back[2].end == pytest.approx(3.0, rel=STEP - 1)


def test_a_key_struck_twice_within_one_step_is_kept_once() -> None:
    music = NoteSequence((Note(1.0, 2.0, 60), Note(1.003, 2.0, 60), Note(1.0, 2.0, 64)))
    assert CODEC.encode(music)[:, PITCH].tolist() == [39, 43]


def test_a_chord_is_ordered_by_pitch_whoever_came_first_within_a_step() -> None:
    rolled = NoteSequence((Note(1.0, 2.0, 67), Note(1.002, 2.0, 60), Note(1.004, 2.0, 64)))
    codes = CODEC.encode(rolled)
    assert (codes[:, PITCH] + 21).tolist() == [60, 64, 67]
    assert codes[1:, TIME].tolist() == [0, 0]


def test_notes_off_the_piano_and_drums_are_left_out() -> None:
    music = NoteSequence((Note(0, 1, 20), Note(0, 1, 109), Note(0, 1, 40, is_drum=True)))
    assert CODEC.encode(music).shape == (0, 5)


def test_nothing_is_nothing() -> None:
    assert CODEC.encode(NoteSequence()).shape == (0, 5)
    assert CODEC.decode(np.zeros((0, 5))) == NoteSequence()


def test_lengths_out_of_range_get_the_nearest_bin() -> None:
    codes = CODEC.encode(NoteSequence((Note(0, 0.001, 60), Note(0, 90.0, 62))))
    assert codes[:, DURATION].tolist() == [0, 95]


def test_every_wait_has_one_bin() -> None:
    bounds = time_bounds()
    assert len(bounds) == BINS[TIME]
    assert (np.diff(bounds) > 0).all()
    ticks = np.arange(20_000)
    notes = np.zeros((len(ticks), 4))
    notes[:, 0] = np.cumsum(ticks) / 100
    notes[:, 1], notes[:, 2:] = notes[:, 0] + 0.5, 60
    codes = codes_of(notes)
    np.testing.assert_array_equal(bounds[codes[1:, TIME]] + codes[1:, FINE], ticks[1:])
    assert (codes[ticks <= 100, FINE] == 0).all()


def test_the_bins_are_those_of_the_likelihoods() -> None:
    assert BINS == (128, 88, 96, 32)
    assert duration_seconds()[[0, -1]] == pytest.approx([0.02, 10.0])
    codes = CODEC.encode(made_up(rng_seed=3))
    for field in (TIME, PITCH, DURATION, VELOCITY):
        assert codes[:, field].min() >= 0
        assert codes[:, field].max() < BINS[field]
