"""The guard against staying in one place: what it counts, when it acts, what it leaves alone."""

import math
from collections import Counter

import numpy as np
import pytest

from pyzzicato.families.chords.spread import BASSES, MEMORIES, NAMES, SPREAD, InUse, Spread

CHORDS = ((), *((low, 60 + top) for low in (36, 38, 40, 41, 43, 45, 47, 48) for top in range(12)))
BASS_36 = range(1, 13)
SHORT, MEMORY = MEMORIES


def in_use(things: list[int]) -> float:
    """By the definition: e to the power of the entropy."""
    shares = [count / len(things) for count in Counter(things).values()]
    return math.exp(-sum(share * math.log(share) for share in shares))


def test_things_in_use_are_counted_over_the_last_ones_only() -> None:
    dice = np.random.default_rng(3)
    things = [int(n) for n in dice.geometric(0.3, 300)]
    counted = InUse(MEMORY, 20.0, things[:100])
    for place in range(100, 300):
        last = things[place - MEMORY : place]
        assert counted.missing() == pytest.approx(20.0 - in_use(last))
        assert counted.heard == Counter(last)
        counted.saw(things[place])


def test_nothing_is_missing_before_so_much_is_known() -> None:
    counted = InUse(MEMORY, 12.0, [5] * (MEMORY - 1))
    assert counted.missing() == 0
    assert counted.losses()[0] == []
    counted.saw(5)
    assert counted.missing() == pytest.approx(11.0)


def test_what_is_met_all_the_time_loses_by_what_is_missing() -> None:
    met, losses = InUse(MEMORY, 10.0, [5] * 48 + [6] * 16).losses()
    missing = 10.0 - in_use([5] * 48 + [6] * 16)
    assert dict(zip(met, losses.tolist(), strict=True)) == {
        5: pytest.approx(SPREAD * missing * 0.75, rel=1e-5),
        6: pytest.approx(SPREAD * missing * 0.25, rel=1e-5),
    }


def test_varied_music_is_left_alone() -> None:
    varied = [1 + 7 * number % (len(CHORDS) - 1) for number in range(MEMORY)]
    logits = np.zeros(len(CHORDS), np.float32)
    Spread(CHORDS, varied).lower(logits)
    assert not logits.any()


def test_one_bass_under_a_moving_melody_is_heard() -> None:
    """Twelve chords in turn over one bass: enough names, one bass."""
    held = [1 + number * 5 % 12 for number in range(60)] + [13, 25, 37, 49]
    assert in_use(held) > NAMES[1]
    assert in_use(held[-SHORT:]) > NAMES[0]
    logits = np.zeros(len(CHORDS), np.float32)
    Spread(CHORDS, held).lower(logits)
    assert logits[0] == 0  # the rest has no bass
    least = BASSES[0] - in_use([36] * (SHORT - 4) + [38, 40, 41, 43])
    assert (logits[list(BASS_36)] < -SPREAD * least * 0.8).all()
    assert (logits[list(BASS_36)] < logits[13] - 1).all()
    assert not logits[61:].any()


def test_rests_between_do_not_hide_a_bass() -> None:
    spread = Spread(CHORDS, [])
    for number in range(2 * MEMORY):
        spread.saw(0 if number % 2 else 1 + number % 12)
    logits = np.zeros(len(CHORDS), np.float32)
    spread.lower(logits)
    met = [0 if n % 2 else 1 + n % 12 for n in range(2 * MEMORY)]
    few = [wanted - in_use(met[-memory:]) for memory, wanted in zip(MEMORIES, NAMES, strict=True)]
    alone = -SPREAD * (sum(BASSES) - 2)
    assert logits[0] == pytest.approx(-SPREAD * sum(few) / 2, rel=1e-5)
    assert logits[12] == pytest.approx(alone, rel=1e-5)  # never met, same bass
    assert logits[1] < logits[12]
