"""The guard against endless repetition: when it begins, when it ends, when it keeps quiet."""

from itertools import pairwise

import numpy as np
import pytest

from pyzzicato.generation.repetition import FEWEST, ROUNDS, Guard

EMPTY = np.zeros(0, np.int64)


def figure(length: int, notes: int) -> np.ndarray:
    """A figure of `length` different notes, again and again up to `notes`."""
    return np.arange(notes) % length + 20


def heats(guard: Guard, notes: np.ndarray) -> list[float]:
    """The heat before each note of one take."""
    found = []
    for note in notes:
        found.append(float(guard.heat()[0]))
        guard.saw(note[None])
    return found


@pytest.mark.parametrize("length", range(1, 9))
def test_it_begins_after_so_many_rounds_and_rises(length: int) -> None:
    found = heats(Guard(EMPTY, 1), figure(length, 100))
    quiet = length + max(ROUNDS * length, FEWEST) + 1
    assert set(found[:quiet]) == {1.0}
    assert found[quiet] == pytest.approx(1.05)
    assert all(before < after for before, after in pairwise(found[quiet : quiet + 20]))
    assert max(found) <= 3.0


def test_a_longer_figure_is_no_concern_of_it() -> None:
    assert set(heats(Guard(EMPTY, 1), figure(9, 200))) == {1.0}


def test_it_ends_as_soon_as_the_figure_is_left() -> None:
    notes = figure(4, 60)
    notes[50] += 1
    found = heats(Guard(EMPTY, 1), notes)
    assert found[50] > 1
    assert set(found[51:]) == {1.0}


def test_takes_are_watched_apart() -> None:
    guard, other = Guard(EMPTY, 2), np.random.default_rng(1).integers(0, 80, 40)
    for note, free in zip(figure(2, 40), other, strict=True):
        guard.saw(np.array([note, free]))
    assert guard.heat()[0] > 1
    assert guard.heat()[1] == 1


def test_the_seed_counts_as_its_beginning() -> None:
    whole = figure(3, 60)
    apart = heats(Guard(whole[:15], 1), whole[15:])
    assert apart == heats(Guard(EMPTY, 1), whole)[15:]


def test_music_that_repeats_itself_is_let_alone() -> None:
    seed = np.concatenate([figure(2, 40), figure(7, 14)])
    assert not Guard(seed[30:], 1).off
    assert not Guard(EMPTY, 1).off
    assert set(heats(Guard(seed, 1), figure(3, 80))) == {1.0}
