"""Notes and lengths as tokens: names, the grid, both ways of cutting, and the way back."""

import numpy as np
import pytest

from pyzzicato.codecs.chord_duration import (
    REST,
    ChordDuration,
    Token,
    Vocabulary,
    chord_name,
    chord_pitches,
    counted,
    on_grid,
    tokens_of,
    transposed,
)
from pyzzicato.music.notes import Note, NoteSequence

KNOWN = Vocabulary(
    (REST, "C4", "E4", "C3.E3.G3", "C3.E4", "C3.G4", "E2.E3.G#3.B3.E4"),
    ("1/4", "1/2", "1/3", "1", "1/12"),
)
SLICES, ONSETS = ChordDuration(KNOWN), ChordDuration(KNOWN, "onsets")


def rows(*notes: tuple[float, float, int]) -> np.ndarray:
    return np.array(notes, np.float64).reshape(-1, 3)


@pytest.mark.parametrize(
    ("pitches", "name"),
    [
        ((60,), "C4"),
        ((64, 40, 52, 56, 59), "E2.E3.G#3.B3.E4"),
        ((), "rest"),
        ((21, 108), "A0.C8"),
        ((29, 41), "F1.F2"),
    ],
)
def test_chords_are_named_as_in_the_source(pitches: tuple[int, ...], name: str) -> None:
    assert chord_name(pitches) == name
    assert chord_pitches(name) == tuple(sorted(pitches))


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tuple\.index"):
        chord_pitches("H4")


def test_times_go_to_the_nearest_quarter_or_third_of_a_quarter_note() -> None:
    times = np.array([0.0, 0.24, 0.26, 0.30, 0.34, 0.46, 0.65, 0.70, 0.74, 0.99, 1 / 13, 5 / 13])
    wanted = [0, 3, 3, 4, 4, 6, 8, 8, 9, 12, 0, 4]
    assert on_grid(times).tolist() == wanted


def test_slices_change_wherever_something_changes() -> None:
    held = rows((0, 1, 48), (0, 0.5, 64), (0.5, 1, 67), (1.5, 2, 60))
    wanted: list[Token] = [((48, 64), 6), ((48, 67), 6), ((), 6), ((60,), 6)]
    assert tokens_of(held) == wanted


def test_onsets_change_only_where_something_is_struck() -> None:
    held = rows((0, 1, 48), (0, 0.5, 64), (0.5, 1, 67), (1.5, 2, 60))
    wanted: list[Token] = [((48, 64), 6), ((67,), 12), ((60,), 6)]
    assert tokens_of(held, "onsets") == wanted


@pytest.mark.parametrize("cut", ["slices", "onsets"])
def test_nothing_is_no_tokens(cut: str) -> None:
    assert tokens_of(rows(), cut) == []
    codec = ChordDuration(KNOWN, cut)
    assert codec.encode(NoteSequence()).shape == (0, 2)
    assert codec.decode(np.zeros((0, 2), np.int64)) == NoteSequence()


def test_thirds_between_quarters_give_the_odd_lengths_of_the_source() -> None:
    lengths = [n for _, n in tokens_of(rows((0, 1 / 3, 60), (0, 1 / 4, 48), (1 / 3, 0.75, 62)))]
    assert lengths == [3, 1, 5]  # 1/4, 1/12 and 5/12


def test_what_goes_in_comes_out_again() -> None:
    music = NoteSequence(
        (
            Note(0, 2.0, 48),
            Note(0, 1.0, 64),
            Note(1.0, 2.0, 67),
            Note(3.0, 4.0, 60),
            Note(4.0, 5.0, 60),
            *(Note(5.0, 5 + 2 / 3, p) for p in (40, 52, 56, 59, 64)),
        ),
        qpm=60.0,
    )
    known = counted([tokens_of(rows(*((n.start, n.end, n.pitch) for n in music)))], least=1)
    codec = ChordDuration(known, qpm=60.0)
    back = codec.decode(codec.encode(music))
    assert [n.pitch for n in back] == [n.pitch for n in music]
    for a, b in zip(back, music, strict=True):
        assert (a.start, a.end) == pytest.approx((b.start, b.end))
    assert back.qpm == 60.0


@pytest.mark.parametrize("cut", ["slices", "onsets"])
def test_codes_stay_as_they_are(cut: str) -> None:
    rng = np.random.default_rng(4)
    codec = ChordDuration(KNOWN, cut)
    codes = np.stack([rng.integers(1, 7, 300), rng.integers(0, 5, 300)], axis=1)
    # The grid has no twelfths but those between a third and a quarter.
    codes = codes[codes[:, 1] < 4]
    codes[:, 1] = np.where(codes[:, 1] == 2, 0, codes[:, 1])
    assert (codec.encode(codec.decode(codes)) == codes).all()


def test_a_key_two_neighbours_share_is_held_and_equal_ones_are_struck_twice() -> None:
    held = SLICES.decode(np.array([(4, 1), (5, 1)]))
    times = [(n.start, n.end, n.pitch) for n in held]
    assert times == [(0.0, 0.25, 64), (0.0, 0.5, 48), (0.25, 0.5, 67)]
    assert len(SLICES.decode(np.array([(4, 1), (4, 1)]))) == 4
    assert len(ONSETS.decode(np.array([(4, 1), (5, 1)]))) == 4


def test_no_key_is_held_for_ever() -> None:
    notes = SLICES.decode(np.array([(4, 3), (5, 3)] * 20))
    assert max(n.end - n.start for n in notes if n.pitch == 48) <= 8 * 0.5 + 1e-9


def test_the_tempo_of_the_music_counts() -> None:
    slow = NoteSequence((Note(0, 2.0, 60),), qpm=30)
    assert SLICES.encode(slow).tolist() == [[1, 3]]
    assert SLICES.encode(NoteSequence(slow.notes, qpm=60)).tolist() == []  # no length of 2


def test_what_is_not_known_is_left_out_or_the_nearest_is_taken() -> None:
    music = NoteSequence(
        (Note(0, 0.5, 48), Note(0, 0.5, 55), Note(0, 0.5, 66), Note(1, 1.35, 48), Note(1, 1.35, 64))
    )
    assert SLICES.encode(music).tolist() == [[0, 3]]
    near = ChordDuration(KNOWN, nearest=True).encode(music)
    assert [KNOWN.notes[n] for n in near[:, 0]] == ["C3.E3.G3", REST, "C3.E4"]
    nothing_shared = NoteSequence((Note(0, 0.5, 30),))
    assert len(ChordDuration(KNOWN, nearest=True).encode(nothing_shared)) == 0


def test_drums_and_what_no_piano_has_are_left_out() -> None:
    odd = NoteSequence((Note(0, 1, 5), Note(0, 1, 120), Note(0, 1, 60, 80, 0, True)))
    assert len(ChordDuration(KNOWN, nearest=True).encode(odd)) == 0


def test_the_vocabulary_is_what_is_there_often_enough_most_frequent_first() -> None:
    line: list[Token] = [*[((60,), 3)] * 12, *[((62,), 6)] * 15, *[((64,), 5)] * 9]
    known = counted([line[:20], line[20:]])
    assert known.notes == ("D4", "C4")
    assert known.durations == ("1/2", "1/4")
    assert known.twelfths == (6, 3)
    assert counted([line], most=1).notes == ("D4",)
    assert len(counted([line], least=9).notes) == 3


def test_transposing_moves_every_key_and_leaves_silence() -> None:
    line: list[Token] = [((60, 64), 3), ((), 3), ((108,), 3)]
    assert transposed(line, 2) == [((62, 66), 3), ((), 3), ((), 3)]
