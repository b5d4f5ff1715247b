"""Two hands: what is struck at once stays playable."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from pyzzicato.codecs.performance import TICKS
from pyzzicato.families.transformer.generate import NoteControls, NoteGenerator
from pyzzicato.families.transformer.processors.playability import (
    CHORD,
    FINGERS,
    REACH,
    Hands,
    within_reach,
)
from pyzzicato.generation.generator import collect
from pyzzicato.music.notes import LOWEST_KEY, NoteSequence
from tests.small_transformer import CONFIG, make_transformer, weights

ALL = 2 * FINGERS


def strike(hands: Hands, *waits: int) -> list[int]:
    """One take strikes other keys after these 10 ms steps; how long to rest after each."""
    found = []
    for pitch, wait in enumerate(waits):
        hands.strike(np.array([pitch]), np.array([wait]))
        found.append(int(hands.rest()[0]))
    return found


def playable(keys: tuple[int, ...]) -> bool:
    """Whether any way of giving each key to a hand keeps to five keys and a ninth a hand."""
    for count in range(len(keys) + 1):
        for left in combinations(keys, count):
            right = [key for key in keys if key not in left]
            hands = [hand for hand in (left, right) if hand]
            if all(len(hand) <= FINGERS and max(hand) - min(hand) <= REACH for hand in hands):
                return True
    return False


def test_ten_keys_may_be_struck_at_once_and_then_there_is_a_rest() -> None:
    hands = Hands(1)
    assert strike(hands, 30, *[0] * (ALL - 1)) == [0] * (ALL - 1) + [CHORD]
    assert strike(hands, CHORD) == [0], "nine of the ten are free again at the same time"


def test_a_chord_that_is_spread_counts_as_one() -> None:
    hands = Hands(1)
    rests = strike(hands, 30, 0, 0, 0, 0, 2, 0, 0, 0, 0)
    assert rests[-1] == CHORD - 2
    assert strike(hands, CHORD - 2) == [0], "the first five are over, the other five are not"
    assert strike(hands, *[0] * 4)[-1] == 2


def test_takes_have_hands_of_their_own() -> None:
    hands = Hands(2)
    for _ in range(ALL):
        hands.strike(np.array([1, 60]), np.array([0, 20]))
    assert hands.rest().tolist() == [CHORD, 0]
    now = np.array([0, 0])
    beyond, struck = hands.beyond(now), hands.struck(now)
    assert beyond[0].all(), "no finger is free"
    assert not beyond[1].any(), "one key leaves both hands where they like"
    assert [np.flatnonzero(row).tolist() for row in struck] == [[1], [60]]
    assert not hands.struck(now + 1).any()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_within_reach_is_what_some_sharing_between_two_hands_allows(count: int) -> None:
    dice, met = np.random.default_rng(count), 0
    while met < 12:
        keys = np.sort(dice.choice(np.arange(20, 68), count, replace=False))
        held = tuple(keys.tolist())
        if not playable(held):
            continue
        met += 1
        other = [key for key in range(88) if key not in held]
        assert within_reach(keys)[other].tolist() == [playable((*held, key)) for key in other]


def test_a_third_hand_is_out_of_reach() -> None:
    hands = Hands(1)
    for key in (10, 60):
        hands.strike(np.array([key]), np.array([0]))
    beyond = hands.beyond(np.array([0]))[0]
    near = {*range(10 + REACH + 1), *range(60 - REACH, 60 + REACH + 1)}
    assert set(np.flatnonzero(~beyond)) == near
    assert not hands.beyond(np.array([CHORD]))[0].any(), "by then both hands have moved"


def test_five_keys_fill_a_hand() -> None:
    reach = within_reach(np.array([20, 22, 24, 26, 28]))
    assert reach.all(), "the other hand may go anywhere"
    both = within_reach(np.array([20, 22, 24, 26, 28, 60]))
    assert not both[30:46].any(), "too far for the hand at 60, and the other is full"
    assert both[46:75].all()


def music_of(folder: Path, keys: dict[int, float]) -> np.ndarray:
    """Onsets in 10 ms steps and codes (n, 2) of what a network plays that likes these keys.

    It would strike most of them at one instant.
    """
    arrays = weights(CONFIG)
    liked = np.full(88, -9.0)
    liked[list(keys)] = list(keys.values())
    times = 9.0 * (np.arange(128) == 0) + 7.0 * (np.arange(128) == 30)
    for field, bias in {"time": times, "pitch": liked}.items():
        arrays[f"{field}_out/kernel"][:] = 0
        arrays[f"{field}_out/bias"][:] = bias
    player = NoteGenerator(make_transformer(folder, arrays))
    controls = NoteControls(composer="chopin", seconds=5.0, guidance=1.0, returns=False)
    music = collect(player.generate(NoteSequence(()), controls))
    rows = [(round(note.start * TICKS), note.pitch - LOWEST_KEY) for note in music]
    return np.array(sorted(rows))


def chords(rows: np.ndarray) -> list[tuple[int, ...]]:
    """What is struck within 50 ms, from each note on."""
    onsets = rows[:, 0]
    found = [rows[(onsets >= now) & (onsets < now + CHORD), 1] for now in onsets]
    return [tuple(sorted({*keys.tolist()})) for keys in found]


def test_a_chord_for_three_hands_is_rolled(tmp_path: Path) -> None:
    rows = music_of(tmp_path, {5: 3.0, 44: 3.0, 82: 3.0})
    assert all(playable(chord) for chord in chords(rows))
    assert {*rows[:, 1].tolist()} == {5, 44, 82}, "no other key stands in for the third"
    gaps = np.diff(rows[:, 0])
    assert (gaps == CHORD).sum() > 5


def test_a_key_too_far_gives_way_to_those_in_reach(tmp_path: Path) -> None:
    rows = music_of(tmp_path, {5: 3.0, 8: 3.0, 44: 3.0, 48: 3.0, 51: 3.0, 82: 1.0})
    assert all(playable(chord) for chord in chords(rows))
    assert 82 in rows[:, 1]
    assert max(map(len, chords(rows))) > 3
    assert (np.diff(rows[:, 0]) == CHORD).sum() < len(rows) / 4
