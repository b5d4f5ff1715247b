"""Ten fingers: what is struck at once stays playable."""

import numpy as np

from pyzzicato.hands import CHORD, FINGERS, Hands


def strike(hands: Hands, *waits: int) -> list[int]:
    """One take strikes other keys after these 10 ms steps; how long to rest after each."""
    found = []
    for pitch, wait in enumerate(waits):
        hands.strike(np.array([pitch]), np.array([wait]))
        found.append(int(hands.rest()[0]))
    return found


def test_ten_keys_may_be_struck_at_once_and_then_there_is_a_rest() -> None:
    hands = Hands(1)
    assert strike(hands, 30, *[0] * (FINGERS - 1)) == [0] * (FINGERS - 1) + [CHORD]
    assert len(hands.keys[0]) == FINGERS
    assert strike(hands, CHORD) == [0], "nine of the ten are free again at the same time"
    assert hands.keys[0] == {0}


def test_a_chord_that_is_spread_counts_as_one() -> None:
    hands = Hands(1)
    rests = strike(hands, 30, 0, 0, 0, 0, 2, 0, 0, 0, 0)
    assert rests[-1] == CHORD - 2
    assert strike(hands, CHORD - 2) == [0], "the first five are over, the other five are not"
    assert strike(hands, *[0] * 4)[-1] == 2


def test_takes_have_hands_of_their_own() -> None:
    hands = Hands(2)
    for _ in range(FINGERS):
        hands.strike(np.array([1, 2]), np.array([0, 20]))
    assert hands.rest().tolist() == [CHORD, 0]
    assert hands.keys == [{1}, {2}]
