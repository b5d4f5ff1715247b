"""The Markov baseline: true probabilities, and better than chance on music with a pattern."""

import math

import numpy as np
import pytest

from pyzzicato.codecs.performance import BINS, DURATION, PITCH, TIME, VELOCITY
from pyzzicato.metrics.markov import CHAINS, NOTE_SIZES, Line, markov_bits, uniform_bits


def pattern(count: int, step: int = 7, rng_seed: int = 1) -> np.ndarray:
    """Codes (count, 5) of a broken chord that is played a little unevenly."""
    dice = np.random.default_rng(rng_seed)
    codes = np.zeros((count, 5), np.int64)
    codes[:, TIME] = dice.choice([20, 21, 22], count)
    codes[:, PITCH] = 30 + np.arange(count) * step % 24
    codes[:, DURATION] = 40 + dice.integers(0, 3, count)
    codes[:, VELOCITY] = np.where(np.arange(count) % 4 == 0, 22, 15)
    return codes


def noise(count: int, rng_seed: int = 1) -> np.ndarray:
    dice = np.random.default_rng(rng_seed)
    return np.stack([dice.integers(0, bins, count) for bins in (*BINS, 1)], axis=1)


def test_it_beats_chance_by_far_on_music_with_a_pattern() -> None:
    (bits,) = markov_bits([(pattern(2000), 1)], [(pattern(300, rng_seed=2), 1)])
    assert bits.shape == (300, 4)
    assert uniform_bits() == pytest.approx(25.04, abs=0.01)
    assert bits[3:].sum(axis=1).mean() < 5.0
    # Nobody can tell three equally likely times apart: log2(3) is the floor.
    assert math.log2(3) - 0.15 < bits[3:, TIME].mean() < math.log2(3) + 0.3
    assert bits[3:, PITCH].mean() < 0.5


def test_it_is_not_far_worse_than_chance_on_noise() -> None:
    (bits,) = markov_bits([(noise(3000), 1)], [(noise(500, rng_seed=2), 1)])
    assert uniform_bits() - 0.1 < bits.sum(axis=1).mean() < uniform_bits() + 1.0


@pytest.mark.parametrize("field", [TIME, PITCH, DURATION, VELOCITY])
@pytest.mark.parametrize("kind", [1, 2])
def test_the_chances_of_all_codes_add_up_to_one(field: int, kind: int) -> None:
    learned: list[Line] = [(pattern(500), 1), (noise(500), 2)]
    asked: list[Line] = []
    for code in range(BINS[field]):
        codes = pattern(40, rng_seed=3)
        codes[-1, field] = code
        asked.append((codes, kind))
    chances = [2.0 ** -bits[-1, field] for bits in markov_bits(learned, asked)]
    assert sum(chances) == pytest.approx(1.0)
    assert min(chances) > 0


def test_without_music_to_learn_from_every_code_is_as_likely() -> None:
    (bits,) = markov_bits([], [(pattern(5), 1)])
    np.testing.assert_allclose(bits, np.tile(np.log2(BINS), (5, 1)))


def test_pieces_do_not_run_into_each_other() -> None:
    learned: list[Line] = [(pattern(300), 1), (pattern(300, step=5), 1)]
    one, two = pattern(20, rng_seed=4), pattern(30, step=5, rng_seed=5)
    together = markov_bits(learned, [(one, 1), (two, 1)])
    for alone, found in zip((one, two), together, strict=True):
        np.testing.assert_allclose(markov_bits(learned, [(alone, 1)])[0], found)


def test_a_code_does_not_see_later_ones() -> None:
    codes, other = pattern(30), pattern(30)
    other[20:] = noise(10)
    other[20, TIME] = codes[20, TIME]
    one, two = (markov_bits([(pattern(300), 1)], [(each, 1)])[0] for each in (codes, other))
    np.testing.assert_allclose(one[:20], two[:20])
    assert one[20, TIME] == two[20, TIME]
    assert one[20, PITCH] != two[20, PITCH]


def test_no_music_asked_gives_no_bits() -> None:
    assert markov_bits([(pattern(50), 1)], []) == []


def test_contexts_are_of_order_three_and_fit_into_one_number() -> None:
    for field, chain in enumerate(CHAINS):
        assert max(ago for context in chain for ago, _ in context) == 3
        for context in chain:
            assert math.prod(NOTE_SIZES[f] for _, f in context) * BINS[field] < 2**63
            assert all(ago or f < field or f == 4 for ago, f in context), "only what is decided"
