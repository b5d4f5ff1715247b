"""The guard against loops of pitches: when it begins, when it ends, when it keeps quiet."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.performance import PITCH
from pyzzicato.families.transformer import generate as note_generator
from pyzzicato.families.transformer.generate import NoteControls, NoteGenerator
from pyzzicato.families.transformer.processors import pitch_loops as repetition
from pyzzicato.families.transformer.processors import register as registers
from pyzzicato.families.transformer.processors.pitch_loops import (
    MEMORIES,
    PITCH_ENDLESS,
    PitchGuard,
)
from pyzzicato.generation.generator import collect, collect_takes
from pyzzicato.music.notes import Note, NoteSequence
from tests.small_transformer import CONFIG, make_transformer, weights

EMPTY = np.zeros((0, 5), np.int64)


def figure(length: int, notes: int) -> np.ndarray:
    """A figure of `length` different notes, again and again up to `notes`."""
    here = np.arange(notes) % length
    return np.stack([here + 5, here * 3 + 20, here + 40, np.arange(notes) % 32, here * 0], axis=1)


@pytest.fixture
def runs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pitch guard without its count of keys, and without minding where they are."""
    monkeypatch.setattr(repetition, "SPREAD", 0.0)
    monkeypatch.setattr(registers, "PULL", 0.0)


def losses(guard: PitchGuard, codes: np.ndarray) -> list[float]:
    """What the pitch that comes next has lost, before each note of one take."""
    found = []
    for row in codes:
        logits = np.zeros((1, 88))
        guard.lower(logits)
        assert (logits[0, np.arange(88) != row[PITCH]] == 0).all()
        found.append(float(-logits[0, row[PITCH]]))
        guard.saw(row[None, PITCH])
    return found


@pytest.mark.usefixtures("runs_alone")
@pytest.mark.parametrize("length", [1, 2, 3, 8, 16])
def test_a_pitch_loses_more_the_longer_its_figure_goes_on(length: int) -> None:
    codes = figure(length, 120)
    codes[:, [0, 2]] = np.random.default_rng(1).integers(0, 90, (120, 2))  # times, lengths vary
    found = losses(PitchGuard(EMPTY, 1), codes)
    quiet = length + int(PITCH_ENDLESS[length - 1]) + 1
    assert set(found[:quiet]) == {0.0}
    assert found[quiet] == pytest.approx(0.3)
    assert all(before < after for before, after in pairwise(found[quiet:]))


def test_pitches_that_go_on_to_others_lose_nothing() -> None:
    codes = np.zeros((200, 5), np.int64)
    codes[:, PITCH] = np.random.default_rng(2).integers(0, 88, 200)
    assert set(losses(PitchGuard(EMPTY, 1), codes)) == {0.0}


@pytest.mark.usefixtures("runs_alone")
@pytest.mark.parametrize("known", [False, True])
def test_after_music_that_goes_round_it_is_more_patient(known: bool) -> None:
    seed, further = figure(2, 42), figure(2, 140)  # 40 notes that come again
    guard = PitchGuard(EMPTY, 1, [seed]) if known else PitchGuard(seed, 1)
    found = losses(guard, further)
    fresh = losses(PitchGuard(EMPTY, 1), further)
    patience, usual = (each.index(next(filter(None, each))) for each in (found, fresh))
    assert patience > 1.5 * usual, (patience, usual)


def chord_with_others(notes: int, chord: int, others: int) -> np.ndarray:
    """Notes by lot: four in five from `chord` keys, the others from as many more."""
    dice = np.random.default_rng(5)
    held = dice.random(notes) < 0.8
    pitch = np.where(held, dice.integers(0, chord, notes), chord + dice.integers(0, others, notes))
    return np.stack([pitch * 0, 40 + pitch, pitch * 0, pitch * 0, pitch * 0], axis=1)


def lowered(written: np.ndarray, takes: int = 1, seed: np.ndarray = EMPTY) -> np.ndarray:
    guard = PitchGuard(seed, takes)
    for row in written[:, PITCH]:
        guard.saw(np.full(takes, row))
    logits = np.zeros((takes, 88))
    guard.lower(logits)
    return -logits


def test_one_chord_with_other_notes_between_loses_what_is_heard_most() -> None:
    lost = lowered(chord_with_others(300, 4, 12), 2)
    assert (lost[0] == lost[1]).all()
    assert lost[0, 40:44].min() > 2 * lost[0, 44:56].max() > 0
    assert (lost[0, :40] == 0).all()
    assert (lost[0, 56:] == 0).all()


def test_the_fewer_keys_the_more_is_lost_and_many_lose_nothing() -> None:
    found = [lowered(chord_with_others(300, chord, 12)).max() for chord in (3, 5, 8)]
    assert found == sorted(found, reverse=True)
    assert lowered(chord_with_others(300, 24, 24)).max() == 0
    assert lowered(chord_with_others(MEMORIES[0] - 1, 4, 12)).max() == 0


def test_after_music_of_few_keys_few_are_enough() -> None:
    few = chord_with_others(300, 4, 12)
    assert lowered(few[:150]).max() > 10 * lowered(few[:150], seed=few).max()


def test_keys_are_counted_as_notes_come_and_forgotten_as_they_go() -> None:
    codes = np.concatenate([chord_with_others(400, 4, 12), chord_with_others(300, 24, 24)])
    guard = PitchGuard(EMPTY, 1)
    for end, row in enumerate(codes[:, PITCH], 1):
        guard.saw(row[None])
        if end % 50 == 0:
            logits = np.zeros((1, 88))
            guard.lower(logits)
            assert np.allclose(-logits, lowered(codes[:end]))
    assert (logits == 0).all()


@pytest.fixture
def stubborn(tmp_path: Path) -> NoteGenerator:
    """A network that all but always writes the same note."""
    arrays = weights(CONFIG)
    for field, place in (("time", 25), ("pitch", 40), ("duration", 50)):
        arrays[f"{field}_out/kernel"][:] = 0
        arrays[f"{field}_out/bias"][:] = 0
        arrays[f"{field}_out/bias"][place] = 12.0
    return NoteGenerator(make_transformer(tmp_path, arrays))


def repeated(notes: int) -> NoteSequence:
    return NoteSequence(tuple(Note(n * 0.25, n * 0.25 + 0.2, 61, 64) for n in range(notes)))


def asked(**values: Any) -> NoteControls:
    return NoteControls(composer="chopin", seconds=60.0).changed(**values)


def same_in_a_row(music: NoteSequence) -> int:
    longest = run = 1
    for before, after in pairwise(music):
        again = (after.pitch, round(after.start - before.start, 2)) == (before.pitch, 0.25)
        run = run + 1 if again else 1
        longest = max(longest, run)
    return longest


def test_a_network_leaves_what_it_would_repeat_for_ever(
    stubborn: NoteGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_guard = collect(stubborn.generate(NoteSequence(), asked()))
    assert PITCH_ENDLESS[0] < same_in_a_row(with_guard) < 120
    monkeypatch.setattr(note_generator, "PitchGuard", Off)
    monkeypatch.setattr(repetition, "SPREAD", 0.0)
    without = collect(stubborn.generate(NoteSequence(), asked()))
    assert same_in_a_row(without) > 200


class Off(PitchGuard):
    """A guard that sleeps."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.endless[:] = 10**9


@pytest.mark.usefixtures("runs_alone")
def test_a_seed_that_repeats_itself_may_go_on(stubborn: NoteGenerator) -> None:
    alone = same_in_a_row(collect(stubborn.generate(repeated(5), asked())))
    assert same_in_a_row(collect(stubborn.generate(repeated(50), asked()))) > alone + 20


def test_what_comes_after_a_gap_may_repeat_itself_too(stubborn: NoteGenerator) -> None:
    start = NoteSequence((Note(0.0, 0.5, 50), Note(1.0, 1.5, 54)))
    gap = asked(fill_from=2.0, fill_to=40.0)
    plain, late = start.followed_by(repeated(5), 40.0), start.followed_by(repeated(50), 40.0)
    short, long = (same_in_a_row(collect(stubborn.generate(m, gap))) for m in (plain, late))
    assert long > short + 20


def test_takes_stay_the_same_with_it(stubborn: NoteGenerator) -> None:
    three = collect_takes(stubborn.generate(NoteSequence(), asked(), 3), 3)
    assert three[0] == collect(stubborn.generate(NoteSequence(), asked()))
