"""Writing ABC: what is written reads back as the same music."""

import numpy as np
import pytest

from pyzzicato.formats.abc.notation import read_abc, repaired_abc, write_abc
from pyzzicato.formats.abc.writer import key_of, melody_prompt
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.seeds.library import all_seeds

Grid = list[tuple[int, int]]


def on_grid(sequence: NoteSequence) -> Grid:
    """Onsets in sixteenths, and pitches."""
    return sorted((round(n.start * sequence.qpm / 15), n.pitch) for n in sequence)


def by_lot(rng_seed: int, notes: int = 60) -> NoteSequence:
    dice = np.random.default_rng(rng_seed)
    starts, lengths = dice.integers(0, 120, notes) / 8, dice.integers(1, 12, notes) / 8
    pitches = dice.integers(21, 109, notes)
    music = zip(starts, starts + lengths, pitches, strict=True)
    return NoteSequence(tuple(Note(s, e, int(p)) for s, e, p in music))


@pytest.mark.parametrize("rng_seed", range(8))
def test_onsets_and_pitches_come_back(rng_seed: int) -> None:
    music = by_lot(rng_seed)
    back = read_abc(write_abc(music, "By lot"))
    assert on_grid(back) == sorted(set(on_grid(music)))
    assert back.qpm == music.qpm


def test_most_seeds_come_back_and_all_can_be_read() -> None:
    same = 0
    for seed in all_seeds():
        music = seed.sequence()
        back = read_abc(write_abc(music, seed.title))
        same += on_grid(back) == sorted(set(on_grid(music)))
    assert same >= 0.9 * len(all_seeds()), "the others have notes between the sixteenths"


def test_lengths_end_where_the_hand_goes_on() -> None:
    music = NoteSequence((Note(0, 4, 72), Note(1, 2, 76), Note(0, 3, 48), Note(2, 3, 59)))
    back = read_abc(write_abc(music))
    wanted = [(0, 1, 72), (0, 2, 48), (1, 2, 76), (2, 3, 59)]
    assert sorted((n.start, n.end, n.pitch) for n in back) == sorted(wanted)


def test_it_says_title_tempo_and_key() -> None:
    music = NoteSequence(tuple(Note(i, i + 1, p) for i, p in enumerate((62, 66, 69, 73))), qpm=90)
    text = write_abc(music, " Two\nlines ")
    assert text.splitlines()[:6] == [
        "X:1",
        "T:Two lines",
        "M:4/4",
        "L:1/16",
        "Q:1/4=90",
        "K:D",
    ]


def test_nothing_is_a_bar_of_rest() -> None:
    for music in (NoteSequence(), NoteSequence((Note(0, 1, 38, is_drum=True),))):
        text = write_abc(music)
        assert "z16|" in text
        assert "There are no notes to play." in repaired_abc(text).dropped


@pytest.mark.parametrize(("pitches", "key"), [((60, 64, 67), "C"), ((65, 70, 63), "Bb"), ((), "C")])
def test_the_key_with_the_fewest_accidentals(pitches: tuple[int, ...], key: str) -> None:
    assert key_of([Note(0, 1, pitch) for pitch in pitches]) == key


@pytest.mark.parametrize("plain", [False, True])
def test_a_prompt_is_the_melody_of_the_end(plain: bool) -> None:
    notes = [Note(i / 4, i / 4 + 0.25, 72 + i % 5) for i in range(200)]
    under = [Note(i, i + 1, 48) for i in range(50)]
    prompt = melody_prompt(NoteSequence((*notes, *under)), 8.0, plain, key="G")
    assert prompt is not None
    assert prompt.text.startswith(prompt.header)
    assert prompt.header.startswith("X:1\nR:tune\nK:G\n" if plain else "X:1\nT:")
    heard = read_abc(prompt.text)
    assert [n.pitch for n in heard] == [n.pitch for n in notes[-32:]]
    assert heard.duration == pytest.approx(8.0)


@pytest.mark.parametrize("seed", [NoteSequence(), NoteSequence((Note(0, 1, 38, is_drum=True),))])
def test_without_notes_there_is_no_prompt(seed: NoteSequence) -> None:
    assert melody_prompt(seed, 20.0, plain=False) is None


def test_notes_off_the_staff_are_moved_by_octaves() -> None:
    prompt = melody_prompt(NoteSequence((Note(0, 1, 5), Note(1, 2, 120))), 20.0, plain=False)
    assert prompt is not None
    assert [n.pitch % 12 for n in read_abc(prompt.text)] == [5, 0]
