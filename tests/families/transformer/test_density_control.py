"""What is drawn of a course before a note is played: how the third minute stands to the first."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pyzzicato.data.density import EVERYBODY, QUANTILES
from pyzzicato.families.transformer.processors.density_control import (
    DRIFT,
    LATER,
    Pace,
    draw_course,
    pace_of,
)

RISING = np.linspace(2.0, 22.0, len(QUANTILES))
PACES = (Pace(RISING, 0.45, 0.42), Pace(RISING, 0.8, 0.0), Pace(RISING, 0.6, 0.3))


def drift(pace: Pace, seed: float | None, rng_seed: int, take: int) -> float:
    """How many notes a second more the third minute is to have than the first."""
    return float(LATER @ draw_course(pace, seed, len(LATER), rng_seed, take))


def by_chance(pace: Pace) -> float:
    """The standard deviation of the same for minutes that are drawn anew for every piece."""
    found = [LATER @ draw_course(pace, None, 64, n, 0)[n % 5 * 8 + 16 :][:13] for n in range(800)]
    return float(np.std(found))


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("seed", [None, 4.0, 12.0])
def test_pieces_drift_less_than_by_chance_and_as_much_in_any_dozen(
    pace: Pace, seed: float | None
) -> None:
    dozens = [
        np.median([abs(drift(pace, seed, n + more, k)) for more, k in product(range(4), range(3))])
        for n in range(1, 161, 4)
    ]
    usual = DRIFT * 0.6745 * by_chance(pace)  # the median size of a normal number is 0.6745
    assert np.mean(dozens) == pytest.approx(usual, rel=0.15)
    assert np.std(dozens) < 0.25 * usual  # by chance it would be 0.35 of it
    assert abs(np.mean([drift(pace, seed, n, 0) for n in range(200)])) < 0.3 * usual


def test_three_takes_go_up_and_down() -> None:
    pieces = [[drift(PACES[0], 12.0, n, take) for take in range(3)] for n in range(1, 101)]
    assert np.mean([min(three) < 0 < max(three) for three in pieces]) > 0.95


def test_a_course_begins_at_its_seed_whatever_comes_of_it() -> None:
    begin = [draw_course(PACES[0], 12.0, 13, n, 0)[0] for n in range(100)]
    assert np.ptp(begin) < 0.01


def test_a_longer_course_goes_on_from_a_shorter_one() -> None:
    for count in (2, 6, 13, 20):
        whole = draw_course(PACES[2], 8.0, 40, 7, 1)
        assert draw_course(PACES[2], 8.0, count, 7, 1) == pytest.approx(whole[:count])


def test_each_composer_has_dice_of_its_own_and_a_mix_too() -> None:
    trained = {"course": {EVERYBODY: RISING.tolist()}}  # all are as everybody is
    asked = ({"bach": 1.0}, {"liszt": 1.0}, {"bach": 0.5, "liszt": 0.5})
    paces = [pace for pace in (pace_of(trained, shares) for shares in asked) if pace]
    found = [draw_course(pace, 12.0, 40, 1, 0) for pace in paces]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert abs(np.corrcoef(found[one], found[other])[0, 1]) < 0.6
        assert not np.allclose(found[one], found[other], atol=1.0)
    turned = pace_of(trained, {"liszt": 0.5, "bach": 0.5})
    assert turned is not None
    assert draw_course(turned, 12.0, 40, 1, 0) == pytest.approx(found[2])
    again = pace_of(trained, {"bach": 1.0})
    assert again is not None
    assert draw_course(again, 12.0, 40, 1, 0) == pytest.approx(found[0])
