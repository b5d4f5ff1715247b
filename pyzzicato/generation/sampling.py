"""Choosing notes from what a network says: pure numpy, no state but what is handed in.

Conventions: logits and probabilities are float32 arrays whose first axis is the take; draws are
uniform numbers in [0, 1) of the same leading shape, made by `Dice`, so that every choice is a
pure function of its arguments.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "STRATA",
    "Dice",
    "choose_class",
    "choose_count",
    "choose_keys",
    "evenly",
    "sigmoid",
    "softmax",
    "stratified",
]

STRATA = 13  # parts; a prime, so that any step goes through all of them

# The same as the methods of these names, without what these look up first.
_most, _sum, _sums = np.maximum.reduce, np.add.reduce, np.add.accumulate


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), by tanh, which cannot overflow."""
    result: np.ndarray = 0.5 + 0.5 * np.tanh(0.5 * logits)
    return result


class Dice:
    """Uniform draws for several takes, `width` of them a step.

    Counter-based (Philox) and keyed by (rng_seed, take): what take k gets in step i depends on
    nothing else, neither on the other takes nor on how many steps are drawn at a time.
    """

    BLOCK = 64  # steps drawn at a time

    def __init__(self, rng_seed: int, takes: int, width: int) -> None:
        self._sources = [
            np.random.Generator(np.random.Philox(key=np.array([rng_seed, take], np.uint64)))
            for take in range(takes)
        ]
        self._width = width
        self._left = np.empty((takes, 0, width), np.float32)

    def roll(self) -> np.ndarray:
        """The draws of the next step, (takes, width) float32."""
        if not self._left.shape[1]:
            shape = (self.BLOCK, self._width)
            self._left = np.stack([s.random(shape, np.float32) for s in self._sources])
        now, self._left = self._left[:, 0], self._left[:, 1:]
        return now


def evenly(rng_seed: int, take: int, steps: tuple[float, float]) -> float:
    """A share between 0.01 and 0.99 for a piece: 0.5 for the first, which is heard first.

    It goes up by the first of `steps` from one rng_seed to the next and by the second from one
    take to the next, and round at 1; by irrational steps a few pieces lie evenly already.
    """
    share = (0.5 + (rng_seed - 1) * steps[0] + take * steps[1]) % 1.0
    return min(max(share, 0.01), 0.99)


def stratified(rng_seed: int, take: int, steps: tuple[int, int]) -> float:
    """A share between 0 and 1 for a piece, the middle of one of `STRATA` equal parts.

    The first piece, which is heard first, has the part in the middle. It goes up by the first of
    `steps`, 1 to `STRATA` - 1, from one rng_seed to the next and by the second from one take to the
    next, and round; so of `STRATA` in a row each has another.
    """
    part = (STRATA // 2 + (rng_seed - 1) * steps[0] + take * steps[1]) % STRATA
    return (part + 0.5) / STRATA


def softmax(logits: np.ndarray) -> np.ndarray:
    """Chances of classes (..., n) from logits of the same shape."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    chances: np.ndarray = weights / weights.sum(axis=-1, keepdims=True)
    return chances


def choose_count(logits: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """A class per take from logits (takes, n) by one draw (takes,); whole numbers."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    reached = np.cumsum(weights, axis=-1)
    chosen: np.ndarray = (reached < draw[:, None] * reached[:, -1:]).sum(axis=-1)
    return chosen


def choose_class(
    logits: np.ndarray,
    draw: np.ndarray,
    *,
    temperature: float = 1.0,
    top_p: float = 1.0,
    min_p: float = 0.0,
) -> np.ndarray:
    """A class per take from logits (takes, n) by one draw (takes,); whole numbers.

    `top_p` keeps the likeliest classes that together have that probability (Holtzman et al.,
    2020) and those as likely as the last of them, `min_p` those with at least that share of the
    likeliest one's (Nguyen et al., 2024); both look at the probabilities after the temperature.
    """
    scaled = logits if temperature == 1 else logits / max(temperature, 1e-3)
    if len(scaled) == 1:
        return np.array([_choose_one(scaled[0], draw[0], top_p, min_p)])
    chance = np.exp(scaled - _most(scaled, axis=-1, keepdims=True))
    chance /= _sum(chance, axis=-1, keepdims=True)
    if min_p > 0:
        chance *= chance >= min_p * _most(chance, axis=-1, keepdims=True)
    if top_p < 1:
        ranked = np.sort(chance, axis=-1)[:, ::-1].copy()
        before = _sums(ranked, axis=-1) - ranked
        kept = np.count_nonzero(before < top_p * _sum(ranked, axis=-1, keepdims=True), axis=-1)
        least = ranked[np.arange(len(ranked)), np.maximum(kept - 1, 0)]
        chance *= chance >= least[:, None]
    reached = _sums(chance, axis=-1)
    passed = np.count_nonzero(reached <= draw[:, None] * reached[:, -1:], axis=-1)
    chosen: np.ndarray = np.minimum(passed, logits.shape[-1] - 1)
    return chosen


def _choose_one(scaled: np.ndarray, draw: np.float32, top_p: float, min_p: float) -> int:
    """`choose_class` for one take, to the last bit, in half the time: what is added up rises,
    so a place in it is found by halving."""
    chance = np.exp(scaled - _most(scaled))
    chance /= _sum(chance)
    if min_p > 0:
        chance *= chance >= min_p * _most(chance)
    if top_p < 1:
        ranked = np.sort(chance)[::-1].copy()
        before = _sums(ranked) - ranked
        kept = int(before.searchsorted(top_p * _sum(ranked)))
        chance *= chance >= ranked[max(kept - 1, 0)]
    reached = _sums(chance)
    return min(int(reached.searchsorted(draw * reached[-1], "right")), len(scaled) - 1)


def choose_keys(
    logits: np.ndarray, count: np.ndarray, draws: np.ndarray, together: np.ndarray | None = None
) -> np.ndarray:
    """`count` (takes,) different keys per take, likelier ones first; (takes, keys) of bool.

    Perturbs the logits with Gumbel noise and takes the highest, again and again (Kool et al.,
    2019: sampling without replacement). `together` (keys, keys) is added to the logits of what
    is still to be chosen, row by row of what was: how well two keys go together.
    """
    noisy = logits - np.log(-np.log(draws * (1 - 2e-7) + 1e-7))
    chosen = np.zeros(logits.shape, bool)
    take = np.arange(len(logits))
    for number in range(int(count.max(initial=0))):
        key = noisy.argmax(axis=-1)
        chosen[take, key] |= count > number
        if together is not None:
            noisy = noisy + together[key]
        noisy[take, key] = -np.inf
    return chosen
