"""NoteSequence: sorted, validated, immutable; every method returns new music."""

import dataclasses
import math

import numpy as np
import pytest

from pyzzicato.music.notes import Note, NoteSequence

CHORD = NoteSequence((Note(0, 1, 60), Note(0.5, 2, 64, 70), Note(1, 3, 36, is_drum=True)), qpm=90)


def random_music(rng: np.random.Generator, count: int = 60) -> NoteSequence:
    starts, lengths = rng.uniform(0, 20, count), rng.uniform(0.01, 4, count)
    pitches, velocities = rng.integers(0, 128, count), rng.integers(1, 128, count)
    return NoteSequence(
        tuple(
            Note(float(s), float(s + d), int(p), int(v))
            for s, d, p, v in zip(starts, lengths, pitches, velocities, strict=True)
        )
    )


def test_notes_are_sorted_whatever_their_order() -> None:
    assert NoteSequence(CHORD.notes[::-1], qpm=90) == CHORD
    assert hash(NoteSequence(CHORD.notes[::-1], qpm=90)) == hash(CHORD)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        CHORD.qpm = 100  # type: ignore[misc]


def test_length_iteration_and_duration() -> None:
    assert (len(CHORD), list(CHORD), CHORD.duration) == (3, list(CHORD.notes), 3)
    assert (len(NoteSequence()), NoteSequence().duration) == (0, 0)


@pytest.mark.parametrize(
    "note",
    [
        Note(-0.1, 1, 60),
        Note(1, 1, 60),
        Note(2, 1, 60),
        Note(math.nan, 1, 60),
        Note(0, math.inf, 60),
        Note(0, 1, -1),
        Note(0, 1, 128),
        Note(0, 1, 60, 0),
        Note(0, 1, 60, 128),
        Note(0, 1, 60, 80, 128),
    ],
)
def test_impossible_notes_are_refused(note: Note) -> None:
    with pytest.raises(ValueError, match=r"note|pitch"):
        NoteSequence((note,))


@pytest.mark.parametrize("qpm", [0, -1, math.nan, math.inf])
def test_impossible_tempos_are_refused(qpm: float) -> None:
    with pytest.raises(ValueError, match="qpm"):
        NoteSequence(qpm=qpm)


def test_transpose_leaves_drums_and_drops_what_leaves_the_range() -> None:
    assert [n.pitch for n in CHORD.transpose(5)] == [65, 69, 36]
    assert [n.pitch for n in CHORD.transpose(64)] == [124, 36]


def test_shift_later_and_earlier() -> None:
    assert [n[:2] for n in CHORD.shift(2)] == [(2, 3), (2.5, 4), (3, 5)]
    assert [n[:2] for n in CHORD.shift(-1)] == [(0, 1), (0, 2)]


def test_stretch_takes_the_tempo_along() -> None:
    slow = CHORD.stretch(2)
    assert ([n[:2] for n in slow], slow.qpm) == ([(0, 2), (1, 4), (2, 6)], 45)
    with pytest.raises(ValueError, match="factor"):
        CHORD.stretch(0)


def test_trim_cuts_what_is_held_across() -> None:
    assert [n[:3] for n in CHORD.trim(0.75, 1.5)] == [
        (0, 0.25, 60),
        (0, 0.75, 64),
        (0.25, 0.75, 36),
    ]
    assert len(CHORD.trim(3, 9)) == 0


def test_quantize_keeps_every_note_at_least_a_step_long() -> None:
    music = NoteSequence((Note(0.02, 0.03, 60), Note(0.96, 1.52, 62))).quantize(10)
    assert [n[:2] for n in music] == [(0, 0.1), (1, 1.5)]


def test_followed_by_starts_where_this_ends_or_where_it_is_told() -> None:
    more = NoteSequence((Note(0, 1, 72),))
    assert Note(3, 4, 72) in CHORD.followed_by(more).notes
    assert Note(2, 3, 72) in CHORD.followed_by(more, at=2).notes
    assert CHORD.followed_by(more).qpm == 90


def test_merge_adds_notes_in_order() -> None:
    merged = CHORD.merge([Note(0.2, 1, 50)])
    assert merged.notes[1].pitch == 50
    assert merged == NoteSequence(merged.notes, CHORD.qpm)
    with pytest.raises(ValueError, match="pitch"):
        CHORD.merge([Note(0, 1, 128)])


@pytest.mark.parametrize("rng_seed", range(10))
def test_laws_that_hold_for_all_music(rng_seed: int) -> None:
    rng = np.random.default_rng(rng_seed)
    music = random_music(rng)
    steps = float(rng.integers(1, 60))
    on_grid = music.quantize(steps)
    assert on_grid.quantize(steps) == on_grid
    middle = music.transpose(0)
    assert middle == music
    assert len(music.trim(0, music.duration)) == len(music)
    cut = float(rng.uniform(1, 19))
    first, second = music.trim(0, cut), music.trim(cut, music.duration)
    assert first.duration <= cut + 1e-9
    sounding = sum(n.end - n.start for n in music)
    parts = sum(n.end - n.start for part in (first, second) for n in part)
    assert parts == pytest.approx(sounding)
    factor = float(rng.uniform(0.5, 2))
    there_and_back = music.stretch(factor).stretch(1 / factor)
    assert there_and_back.duration == pytest.approx(music.duration)
    later = music.shift(2.5)
    assert later.duration == pytest.approx(music.duration + 2.5)
