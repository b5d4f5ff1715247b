"""Choosing notes: the dice, how many keys and which, against what chance should give."""

import numpy as np
import pytest

from pyzzicato.generation.sampling import (
    STRATA,
    Dice,
    choose_class,
    choose_count,
    choose_keys,
    evenly,
    sigmoid,
    stratified,
)

MANY = 4000


def test_the_sigmoid_is_right_and_never_overflows() -> None:
    with np.errstate(all="raise"):
        found = sigmoid(np.array([-1e4, -2.0, 0.0, 2.0, 1e4], np.float32))
    assert found == pytest.approx([0, 0.1192029, 0.5, 0.8807971, 1], abs=1e-6)


def test_what_a_take_draws_depends_on_nothing_but_its_number() -> None:
    few, many = Dice(7, 1, 5), Dice(7, 3, 5)
    for _ in range(Dice.BLOCK + 3):  # past the border of a block
        alone, together = few.roll(), many.roll()
        assert together.shape == (3, 5)
        assert (alone[0] == together[0]).all()
        assert not (together[0] == together[1]).any()


def test_the_dice_are_even_and_another_number_gives_others() -> None:
    first, same, other = Dice(1, 2, 50), Dice(1, 2, 50), Dice(2, 2, 50)
    rolls = np.stack([first.roll() for _ in range(100)])
    assert (rolls == np.stack([same.roll() for _ in range(100)])).all()
    assert not (rolls == np.stack([other.roll() for _ in range(100)])).all(axis=(1, 2)).any()
    assert rolls.dtype == np.float32
    assert rolls.min() >= 0
    assert rolls.max() < 1
    assert np.histogram(rolls, 10, (0, 1))[0] == pytest.approx(1000, rel=0.15)


def test_the_number_of_keys_is_drawn_by_its_chances() -> None:
    chances = np.array([0.5, 0.3, 0.15, 0.05])
    logits = np.tile(np.log(chances).astype(np.float32), (MANY, 1))
    draws = ((np.arange(MANY) + 0.5) / MANY).astype(np.float32)
    found = np.bincount(choose_count(logits, draws), minlength=4) / MANY
    assert found == pytest.approx(chances, abs=0.002)


def test_a_draw_of_0_or_nearly_1_gives_a_number_that_exists() -> None:
    logits = np.array([[5.0, -50.0, 5.0]] * 2, np.float32)
    assert choose_count(logits, np.array([0.0, 0.9999999], np.float32)).tolist() == [0, 2]


def test_the_first_key_is_drawn_by_its_chances() -> None:
    chances = np.array([0.6, 0.25, 0.1, 0.05])
    logits = np.tile(np.log(chances).astype(np.float32), (MANY, 1))
    draws = np.random.default_rng(4).random(logits.shape, np.float32)
    keys = choose_keys(logits, np.ones(MANY, int), draws)
    assert (keys.sum(axis=1) == 1).all()
    assert keys.mean(axis=0) == pytest.approx(chances, abs=0.025)


def test_the_second_key_is_drawn_from_those_that_are_left() -> None:
    chances = np.array([0.6, 0.25, 0.1, 0.05])
    logits = np.tile(np.log(chances).astype(np.float32), (MANY, 1))
    draws = np.random.default_rng(5).random(logits.shape, np.float32)
    keys = choose_keys(logits, np.full(MANY, 2), draws)
    assert (keys.sum(axis=1) == 2).all()
    # A key is among the two where it came first, or second after another.
    wanted = [
        p + sum(q * p / (1 - q) for k, q in enumerate(chances) if k != key)
        for key, p in enumerate(chances)
    ]
    assert keys.mean(axis=0) == pytest.approx(wanted, abs=0.025)


def test_each_take_gets_as_many_keys_as_it_asked_for() -> None:
    logits = np.random.default_rng(6).normal(size=(4, 88)).astype(np.float32)
    draws = np.random.default_rng(7).random((4, 88), np.float32)
    count = np.array([0, 3, 9, 1])
    assert choose_keys(logits, count, draws).sum(axis=1).tolist() == count.tolist()
    assert not choose_keys(logits, np.zeros(4, int), draws).any()


def test_extreme_draws_do_not_break_the_choice() -> None:
    draws = np.array([[0.0, np.float32(1) - np.float32(2**-24), 0.5]], np.float32)
    with np.errstate(all="raise"):
        keys = choose_keys(np.zeros((1, 3), np.float32), np.array([1]), draws)
    assert keys.tolist() == [[False, True, False]]


CHANCES = np.array([0.5, 0.3, 0.15, 0.05])


def classes(**how: float) -> np.ndarray:
    """How often each of four classes of known chances is chosen."""
    logits = np.tile(np.log(CHANCES).astype(np.float32), (MANY, 1))
    draws = ((np.arange(MANY) + 0.5) / MANY).astype(np.float32)
    found: np.ndarray = np.bincount(choose_class(logits, draws, **how), minlength=4) / MANY
    return found


def test_a_class_is_drawn_by_its_chances() -> None:
    assert classes() == pytest.approx(CHANCES, abs=0.002)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_temperature_sharpens_or_flattens(temperature: float) -> None:
    wanted = CHANCES ** (1 / temperature)
    assert classes(temperature=temperature) == pytest.approx(wanted / wanted.sum(), abs=0.002)


def test_a_temperature_of_nothing_takes_the_likeliest() -> None:
    assert classes(temperature=0.0).tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(("top_p", "kept"), [(0.4, 1), (0.7, 2), (0.9, 3), (1.0, 4)])
def test_top_p_keeps_the_likeliest_that_reach_it(top_p: float, kept: int) -> None:
    wanted = np.where(np.arange(4) < kept, CHANCES, 0)
    assert classes(top_p=top_p) == pytest.approx(wanted / wanted.sum(), abs=0.002)


@pytest.mark.parametrize(("min_p", "kept"), [(0.9, 1), (0.5, 2), (0.2, 3), (0.0, 4)])
def test_min_p_keeps_those_near_the_likeliest(min_p: float, kept: int) -> None:
    wanted = np.where(np.arange(4) < kept, CHANCES, 0)
    assert classes(min_p=min_p) == pytest.approx(wanted / wanted.sum(), abs=0.002)


@pytest.mark.parametrize("how", [{}, {"temperature": 0.8, "top_p": 0.9}, {"min_p": 0.05}])
@pytest.mark.parametrize("size", [7, 90, 700])
def test_one_take_chooses_as_it_does_beside_others(how: dict[str, float], size: int) -> None:
    dice = np.random.default_rng(size)
    logits = dice.normal(0, 3, (300, size)).astype(np.float32)
    logits[:, 1:4] = -np.inf
    draws = dice.random(300, np.float32)
    alone = [choose_class(logits[i : i + 1], draws[i : i + 1], **how)[0] for i in range(300)]
    assert choose_class(logits, draws, **how).tolist() == alone
    assert len(set(alone)) > 1
    assert not set(alone) & {1, 2, 3}


def test_a_class_that_was_left_out_is_never_chosen_by_an_extreme_draw() -> None:
    logits = np.array([[-50.0, 5.0, 5.0, -50.0]] * 2, np.float32)
    draws = np.array([0.0, np.float32(1) - np.float32(2**-24)], np.float32)
    assert choose_class(logits, draws, top_p=0.9).tolist() == [1, 2]


def test_what_goes_together_leans_on_the_keys_after_the_first() -> None:
    logits = np.zeros((200, 4), np.float32)
    logits[:, 0] = 50.0  # surely the first
    together = np.zeros((4, 4), np.float32)
    together[0, 3] = 50.0  # and then surely this one
    draws = np.random.default_rng(8).random(logits.shape, np.float32)
    keys = choose_keys(logits, np.full(200, 2), draws, together)
    assert (keys == [True, False, False, True]).all()


def test_pieces_lie_evenly_and_the_first_in_the_middle() -> None:
    steps = (0.618034, 0.754878)
    assert evenly(1, 0, steps) == 0.5
    for shares in (
        [evenly(number, 0, steps) for number in range(1, 51)],
        [evenly(1, take, steps) for take in range(50)],
    ):
        assert np.histogram(shares, 5, (0.0, 1.0))[0] == pytest.approx(np.full(5, 10), abs=2)
        assert 0.01 <= min(shares) <= max(shares) <= 0.99
    assert evenly(5, 3, (0.125, 0.0)) == 0.01  # a share of nothing is no rank


@pytest.mark.parametrize("steps", [(3, 4), (6, 8), (1, 12)])
def test_as_many_pieces_as_there_are_parts_lie_in_one_each(steps: tuple[int, int]) -> None:
    parts = np.arange(STRATA)
    for first in (1, 7, 10**6):
        numbers = [stratified(first + n, 2, steps) for n in range(STRATA)]
        takes = [stratified(first, take, steps) for take in range(STRATA)]
        for shares in (numbers, takes):
            assert sorted(shares) == pytest.approx((parts + 0.5) / STRATA)
    assert stratified(1, 0, steps) == 0.5
