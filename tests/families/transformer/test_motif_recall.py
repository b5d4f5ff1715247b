"""Themes that come back: a take returns to its own music, and the network keeps the last word."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pyzzicato.codecs.performance import BINS, DURATION, PITCH, TICKS, TIME, VELOCITY
from pyzzicato.families.transformer.processors.motif_recall import (
    AT_FIRST,
    BETWEEN,
    EARLIER,
    FIRST,
    LENGTH,
    PULL,
    Returns,
)

FIELDS = (TIME, PITCH, DURATION, VELOCITY)
STEP = 25  # 10 ms steps between notes, and three times as many at a breath


def scripted(count: int) -> np.ndarray:
    """Notes that never repeat soon; every fifth comes after a breath. (count, 4) codes."""
    n = np.arange(count)
    time = np.where(n % 5 == 0, 3 * STEP, STEP)
    return np.stack([time, 10 + n * 37 % 67, 20 + n % 50, 5 + n % 20], axis=1)


class Player:
    """Writes `script`, and where something pulls, what is pulled at most."""

    def __init__(self, rng_seed: int = 1, takes: int = 1, obeys: bool = True) -> None:
        self.returns, self.obeys = Returns(rng_seed, takes), obeys
        self.takes, self.now = takes, 0.0
        self.pulled: list[bool] = []

    def write(self, wanted: np.ndarray, against: float = 0.0) -> np.ndarray:
        """The note (takes, 4) after a step; `against` is what keys but the wanted one lose."""
        chosen = np.zeros((self.takes, 4), np.int64)
        pulled = False
        for field in FIELDS:
            logits = np.zeros((self.takes, BINS[field]))
            if field == PITCH and against:
                logits -= against
                logits[:, wanted[PITCH]] = 0.0
            before = logits.copy()
            self.returns.pull(logits, field, chosen)
            found = (logits != before).any(axis=1)
            pulled |= bool(found[0])
            likeliest = logits.argmax(axis=1)
            chosen[:, field] = np.where(found & self.obeys, likeliest, wanted[field])
        self.pulled.append(pulled)
        self.now += chosen[0, TIME] / TICKS
        self.returns.saw(chosen, [self.now] * self.takes)
        return chosen

    def play(self, script: np.ndarray, against: float = 0.0) -> np.ndarray:
        """Codes of the first take, (notes, 4)."""
        return np.array([self.write(wanted, against)[0] for wanted in script])


def stretches(pulled: list[bool]) -> list[tuple[int, int]]:
    """First and last + 1 of the notes in a row that were pulled."""
    edges = np.flatnonzero(np.diff([False, *pulled, False]))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def test_a_passage_is_played_again_note_for_note_where_nothing_speaks_against_it() -> None:
    player = Player()
    codes = player.play(scripted(160))
    onsets = np.cumsum(codes[:, TIME]) / TICKS
    first, last = stretches(player.pulled)[0]
    assert onsets[first] >= FIRST[0]
    assert codes[first, TIME] == 3 * STEP, "it begins at a breath"
    came = codes[first:last]
    source = [n for n in range(first) if np.array_equal(codes[n : n + len(came), 1:], came[:, 1:])]
    assert len(source) == 1
    assert codes[source[0], TIME] == 3 * STEP
    assert np.array_equal(codes[source[0] + 1 : source[0] + len(came)], came[1:])
    assert LENGTH[0] - 1 <= onsets[last - 1] - onsets[first] <= LENGTH[1] + 1


def test_returns_come_from_time_to_time() -> None:
    player = Player()
    codes = player.play(scripted(1200))
    onsets = np.cumsum(codes[:, TIME]) / TICKS
    found = stretches(player.pulled)
    assert len(found) >= 5
    for (_, end), (begin, _) in pairwise(found):
        assert onsets[begin] - onsets[end - 1] >= BETWEEN[0]


def test_nothing_returns_where_the_network_would_hardly_go() -> None:
    player = Player()
    script = scripted(400)
    script[60:, PITCH] = 80 + np.arange(340) % 5
    codes = player.play(script, against=20.0)
    returned = codes[player.pulled]
    assert len(returned) > 20
    assert returned[:, PITCH].min() >= 80


def test_a_passage_that_is_not_followed_is_let_go() -> None:
    player = Player(obeys=False)
    script = scripted(700)
    script[:, PITCH] = 5 + np.arange(700) // 10  # what was played does not come by chance
    player.play(script)
    found = stretches(player.pulled)
    assert len(found) > 3
    assert all(last - first == AT_FIRST + 1 for first, last in found)


def test_a_chord_is_not_filled_up_and_what_is_left_of_it_not_waited_for() -> None:
    chords = np.repeat(scripted(160), 3, axis=0)
    chords[1::3, TIME] = chords[2::3, TIME] = 0
    chords[1::3, PITCH] += 3
    chords[2::3, PITCH] += 7
    player = Player(rng_seed=3)
    codes = player.play(chords)
    first, last = stretches(player.pulled)[0]
    assert last - first > 40
    # Two keys of the passage are followed, then another key comes in the same chord.
    player = Player(rng_seed=3)
    player.play(chords[: first + 3])
    returns = player.returns
    start = player.now
    other = np.array([[0, 1, 5, 5]])
    returns.saw(other, [start])
    time = np.zeros((1, BINS[TIME]))
    returns.pull(time, TIME, np.zeros((1, 4), np.int64))
    assert time.argmax() > 2, "no more keys are asked for at this instant"
    pitch = np.zeros((1, BINS[PITCH]))
    returns.pull(pitch, PITCH, np.array([[STEP, 0, 0, 0]]))
    assert pitch.argmax() == codes[first + 3, PITCH]


def test_how_much_is_pulled_and_around_what() -> None:
    player = Player()
    script = scripted(160)
    codes = player.play(script)
    first, last = stretches(player.pulled)[0]
    again = Player()
    again.play(script[: first + 2])
    logits = np.zeros((1, BINS[DURATION]))
    again.returns.pull(logits, DURATION, codes[None, first + 2])
    assert logits.max() == pytest.approx(PULL[DURATION])
    assert np.count_nonzero(logits) == 5
    assert last > first + 2
    again.returns.saw(codes[None, first + 2], [again.now + codes[first + 2, TIME] / TICKS])
    wait = np.zeros((1, BINS[TIME]))
    again.returns.pull(wait, TIME, codes[None, first + 3])
    due = int(codes[first + 3, TIME])
    assert wait.argmax() == due
    assert np.unique(wait[0, : due - 1]).tolist() == [-EARLIER], "breaths are not filled up"
    assert not wait[0, due + 2 :].any()


def test_a_take_returns_whatever_the_number_of_takes() -> None:
    script = scripted(300)
    alone, three = Player(rng_seed=7), Player(rng_seed=7, takes=3)
    assert np.array_equal(alone.play(script), three.play(script))
    other = Player(rng_seed=8)
    assert not np.array_equal(other.play(script), Player(rng_seed=7).play(script))
