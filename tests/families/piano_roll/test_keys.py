"""The keyboards of several takes at once: the same notes as from reading each roll by itself."""

import numpy as np
import pytest

from pyzzicato.codecs.piano_roll import KEYS, RollReader
from pyzzicato.families.piano_roll.keys import Keyboards
from pyzzicato.music.notes import Note

NONE = np.zeros((1, KEYS), bool)


def strike(keyboards: Keyboards, kept: np.ndarray, keys: list[int], loudness: float) -> None:
    keyboards.strike(kept, np.zeros(len(keys), int), np.array(keys), np.full(len(keys), loudness))


def test_a_key_is_struck_held_and_let_go() -> None:
    keyboards = Keyboards(1, 20.0)
    strike(keyboards, NONE.copy(), [39], 0.5)
    keyboards.go_on(keyboards.down.copy())
    assert keyboards.news(0) == ()
    assert keyboards.down[0].nonzero()[0].tolist() == [39]
    keyboards.go_on(NONE.copy())
    assert keyboards.news(0) == (Note(0.0, 0.1, 60, 64),)
    assert keyboards.news(0) == (), "a note is told once"
    keyboards.close()
    assert keyboards.news(0) == ()


def test_a_key_that_is_down_and_struck_starts_anew() -> None:
    keyboards = Keyboards(1, 20.0)
    strike(keyboards, NONE.copy(), [39, 43], 1.0)
    strike(keyboards, keyboards.down.copy(), [39], 0.001)
    assert keyboards.news(0) == (Note(0.0, 0.05, 60, 127),)
    keyboards.close()
    assert keyboards.news(0) == (Note(0.05, 0.1, 60, 1), Note(0.0, 0.1, 64, 127))


@pytest.mark.parametrize("busy", [0.002, 0.05])
def test_all_takes_at_once_are_each_by_itself(busy: float) -> None:
    dice, takes, steps = np.random.default_rng(5), 3, 120
    keyboards, readers = Keyboards(takes, 20.0), [RollReader(20.0) for _ in range(takes)]
    told: list[list[Note]] = [[] for _ in range(takes)]
    read: list[list[Note]] = [[] for _ in range(takes)]
    for _ in range(steps):
        kept = keyboards.down & (dice.random((takes, KEYS)) < 0.8)
        struck = dice.random((takes, KEYS)) < busy
        loudness = np.where(struck, dice.random((takes, KEYS), np.float32), 0)
        for take, reader in enumerate(readers):
            read[take] += reader.push((kept | struck)[take], struck[take], loudness[take])
        if struck.any():
            of_takes, keys = struck.nonzero()
            keyboards.strike(kept, of_takes, keys, loudness[struck])
        else:
            keyboards.go_on(kept)
        for take in range(takes):
            told[take] += keyboards.news(take)
    keyboards.close()
    for take, reader in enumerate(readers):
        told[take] += keyboards.news(take)
        read[take] += reader.close()
        assert sorted(told[take]) == sorted(read[take])
        assert len(told[take]) > 10
