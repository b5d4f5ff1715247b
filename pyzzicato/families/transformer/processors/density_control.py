"""How dense a piece is meant to be from one quarter minute to the next, drawn by lots.

A pace is what is known of somebody's music, measured composer by composer and kept in
training.json:

- "course": how often that composer's music is how dense, `QUANTILES`;
- "steadiness": how like each other two windows of a piece are, beside each other and far apart;
- "answer": how dense the network plays what it is asked for (`tools/measure_answers.py`). Where it
  stays near what is usual for somebody, it is asked for what is further off.

Ranks are drawn as normal numbers and turned into densities by the quantiles. The course of a take
begins where the seed stands among openings. Two things are not left to chance alone, but spread
evenly over what is usual from one number and take to the next, so that three takes seldom are
alike: how dense a piece is as a whole, and how much denser its third minute is than its first.

Pieces are to drift as real ones do. Playing adds some drift of its own, so courses have `DRIFT`
times as much; and what wandering remains is why `WANDERS` of the variance is drawn that two windows
of a piece far apart do not share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from pyzzicato.data.density import COURSE_SECONDS, EVERYBODY, QUANTILES
from pyzzicato.families.transformer.windows import DENSITY_EDGES
from pyzzicato.generation.sampling import stratified

__all__ = ["KNOT", "LEAST", "OPENING", "Pace", "draw_course", "level", "pace_of"]

STEADINESS = (0.68, 0.32)  # of everybody together, where a model's table has none
STEADIEST = 0.95  # of the variance at most belongs to a piece: no course stands still
WANDERS = 0.6  # of the variance that a piece does not share with itself is drawn
KNOT = COURSE_SECONDS  # seconds between two values of a course
OPENING = 0.28  # standard deviations that openings are sparser than the rest
OUTERMOST = 0.6  # standard deviations; a written seed tells no more than that
TELLS = 0.25  # of a seed's rank is the piece's as a whole
GIVES = 0.2  # of what the first minute was off; see `transformer.processors.density_plan`
LEAST = 0.3  # notes a second, added before logarithms, and the fewest that are asked for
PLAIN = (0.0, 1.0)  # the answer of a network that plays what it is asked for
PIECES = (3, 4)  # see `stratified`: how dense pieces are as a whole
DRIFTS = (6, 8)  # the same, of how much denser the third minute is than the first
DRIFT = 0.7  # times as wide as by chance
MINUTE = np.array([1, 2, 2, 2, 1]) / 8  # what the knots from its beginning to its end count
LATER = np.concatenate([-MINUTE, np.zeros(3), MINUTE])  # the third minute less the first
STILL = 1e-9  # a course of less variance does not come and go
DENSEST = 40.0  # notes a second; the end of the densest class
NORMAL = NormalDist()

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pace:
    """How dense somebody's music is, and how its density comes and goes.

    `quantiles` (21,) of notes per second, rising; `piece`, the share of the variance of ranks that
    belongs to a piece as a whole; `stays`, of the rest, from one knot to the next; `gives`, how far
    the course gives way, 0 to 1. `answer`: the logarithm of what is played is the first plus the
    second, above 0, times that of what is asked for. `dice`, from 0 to 2**30, tells apart courses
    that are drawn by the same numbers.
    """

    quantiles: Floats
    piece: float = 0.45
    stays: float = 0.42
    gives: float = GIVES
    answer: tuple[float, float] = PLAIN
    dice: int = 0

    def asked(self, per_second: float) -> float:
        """Notes per second to ask for, so that so many are played."""
        more, times = self.answer
        found = (math.log(per_second + LEAST) - more) / times
        return min(max(math.exp(found) - LEAST, LEAST), DENSEST)


def pace_of(trained: Mapping[str, Any], shares: Mapping[str, float]) -> Pace | None:
    """The pace of a mix of composers; None for a model whose training.json has no "course".

    A composer whom a table does not know is as everybody is.
    """
    table = trained.get("course", {})
    if not table:
        return None

    def mixed(rows: Mapping[str, Sequence[float]], unknown: Sequence[float] = ()) -> Floats:
        usual = rows.get(EVERYBODY, unknown)
        parts = [share * np.array(rows.get(name, usual)) for name, share in shares.items()]
        found: Floats = np.sum(parts, axis=0)
        return found

    logs = mixed({name: [math.log(n + LEAST) for n in row] for name, row in table.items()})
    rising = np.maximum.accumulate(np.exp(logs) - LEAST + 1e-6 * np.arange(len(logs)))
    near, far = mixed(trained.get("steadiness", {}), STEADINESS)
    piece = min(1.0 - WANDERS * (1.0 - far), STEADIEST)
    stays = min(max(0.0, (near - piece) / (1.0 - piece)), 1.0)
    more, times = mixed(trained.get("answer", {}), PLAIN)
    dice = crc32(",".join(sorted(shares)).encode()) >> 2  # for a key of 64 bits
    answer = float(more), float(times)
    return Pace(rising, float(piece), float(stays), answer=answer, dice=dice)


def level(asked: int) -> Pace:
    """A pace that stays in the middle of one density class, 1 to 11."""
    edges = np.concatenate([[0.5], DENSITY_EDGES, [DENSEST]])
    quantiles = np.full(len(QUANTILES), math.sqrt(edges[asked - 1] * edges[asked]))
    return Pace(quantiles, gives=0.0)


def draw_course(pace: Pace, seed: float | None, count: int, rng_seed: int, take: int) -> Floats:
    """Notes per second at `count` knots, `KNOT` s apart, of a piece whose seed ends so dense.

    They depend on the numbers given and on `pace` alone, and a longer course goes on from a shorter
    one. `seed` is None where nothing is known of it.
    """
    key = np.array([rng_seed, take + 2**32 * (1 + pace.dice)], np.uint64)
    dice = np.random.Generator(np.random.Philox(key=key))
    piece, drift = (NORMAL.inv_cdf(stratified(rng_seed, take, steps)) for steps in (PIECES, DRIFTS))
    # What the third minute shall be takes part in drawing the first, however short the piece.
    knots = max(count, len(LATER))
    begins = _rank(pace.quantiles, seed)
    ranks = _wandering(pace, begins, piece, dice.standard_normal(knots + 1))
    ranks += _more_drift(ranks, pace, DRIFT * drift)
    shares = [NORMAL.cdf(rank) for rank in ranks[:count]]
    found: Floats = np.interp(shares, QUANTILES, pace.quantiles)
    return found


def _rank(quantiles: Floats, density: float | None) -> float | None:
    """Where a seed stands among the composer's openings, as a normal number."""
    if density is None:
        return None
    share = min(max(float(np.interp(density, quantiles, QUANTILES)), 0.001), 0.999)
    return min(max(NORMAL.inv_cdf(share) + OPENING, -OUTERMOST), OUTERMOST)


def _wandering(pace: Pace, begins: float | None, piece: float, dice: Floats) -> Floats:
    """Ranks, one fewer than `dice`: what the piece is, and what comes and goes around it."""
    whole, rest = math.sqrt(pace.piece), math.sqrt(1 - pace.piece)
    around = float(dice[0])
    if begins is not None:
        piece += TELLS * begins
        around = (begins - whole * piece) / rest
    ranks = np.empty(len(dice) - 1)
    for knot, fresh in enumerate(dice[1:]):
        ranks[knot] = whole * piece + rest * around
        around = pace.stays * around + math.sqrt(1 - pace.stays**2) * fresh
    return ranks


def _more_drift(ranks: Floats, pace: Pace, wanted: float) -> Floats:
    """What to add to ranks, so that they drift by `wanted` standard deviations.

    The likeliest way there, as what comes and goes is alike from knot to knot; the first one stays.
    """
    knots = np.arange(len(ranks))
    later = np.zeros(len(ranks))
    later[: len(LATER)] = LATER
    alike = pace.stays ** np.abs(knots[:, None] - knots)
    usual = math.sqrt((1 - pace.piece) * float(later @ alike @ later))
    way = (alike - np.outer(alike[0], alike[0])) @ later
    reach = float(later @ way)
    if reach < STILL:
        return np.zeros(len(ranks))
    found: Floats = way * (wanted * usual - float(later @ ranks)) / reach
    return found
