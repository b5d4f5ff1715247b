"""The course of density: how a piece goes from sparse to dense and back, drawn by lots.

A network that reads nothing but its own notes grows denser: many notes make many more likely.
Real music comes back. So how dense it shall be is wished for from the outside, along a course of
notes per second that is made as real music makes it. Three things are measured on the training
music for it:

- how often music of that composer is how dense: `quantiles`, from training.json;
- how much of that belongs to the piece as a whole: `PIECE` of the variance;
- how much of the rest stays from one 15 s to the next: `STAYS`.

Ranks are drawn as normal numbers and turned into densities by the quantiles. The course of a take
begins where the seed stands among openings.

The network answers a wish: of notes per second over 8 s, as logarithms, 0.58 is what was before and
0.40 what is wished (least squares over 660 stretches with wishes drawn by lots, at a guidance of 2,
where the network is also read with the density that was, and the difference counts twice;
`tools/measure_response.py`). So the wish is not quite the course itself but `STEADY` of it, and on
top of that `ANSWER` times what the music of the last 8 s was off its course. By that fit the past
would have no say any more with 1.4; slow seeds ask for more, and 4 made the music swing.

The network wanders by itself around its course. So `PIECE` is larger than what windows two minutes
apart have in common, 0.30: with 0.40 pieces drift less from minute to minute, as real ones do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pyzzicato.density import EVERYBODY, QUANTILES
from pyzzicato.notes import NoteSequence
from pyzzicato.performance_examples import DENSITY_EDGES, SPAN, density_wish

__all__ = ["PIECE", "STAYS", "Course", "level", "quantiles_of"]

PIECE = 0.40  # of the variance of ranks; what windows two minutes apart have in common is 0.30
STAYS = 0.45  # of the rest, from one knot to the next: neighbours have 0.67 in common, real 0.68
KNOT = 15.0  # seconds between two values of a course
OPENING = 0.28  # standard deviations that openings are sparser than the rest
OUTERMOST = 0.6  # standard deviations; a written seed tells no more than that
FEW = 8  # notes; a shorter seed says nothing about density
STEADY = (0.0, 1.1)
ANSWER = 3.0
LEAST = 0.3  # notes a second, added before logarithms
CLASSES = (2, 10)  # of wishes; the outermost have hardly been seen in training
NORMAL = NormalDist()

Floats = npt.NDArray[np.float64]


def quantiles_of(table: Mapping[str, Sequence[float]], shares: Mapping[str, float]) -> Floats:
    """Quantiles of notes per second of a mix of composers: (21,), rising; empty without a table.

    `table` is what `pyzzicato.density.course_table` made; who is not in it is as everybody is.
    """
    if not table:
        return np.empty(0)
    rows = [
        share * np.log(np.array(table.get(name, table[EVERYBODY])) + LEAST)
        for name, share in shares.items()
    ]
    mixed: Floats = np.exp(np.sum(rows, axis=0)) - LEAST
    return np.maximum.accumulate(mixed + 1e-6 * np.arange(len(mixed)))


def level(asked: int) -> Floats:
    """Quantiles of a course that stays in the middle of one density class, 1 to 11: (21,)."""
    edges = np.concatenate([[0.5], DENSITY_EDGES, [40.0]])
    return np.full(len(QUANTILES), math.sqrt(edges[asked - 1] * edges[asked]))


class Course:
    """The density wishes of several takes that go on from one seed.

    `quantiles` are those of `quantiles_of`. `planned`, (takes, knots), are notes per second; take
    k's depend on `rng_seed` and k alone.
    """

    def __init__(
        self, quantiles: Floats, seed: NoteSequence, seconds: float, rng_seed: int, takes: int
    ) -> None:
        count = math.ceil(seconds / KNOT) + 2
        self._seed = _density(seed)
        begins = _rank(quantiles, self._seed)
        self.planned = np.array(
            [_drawn(quantiles, begins, count, rng_seed, take) for take in range(takes)]
        )
        self._heard: list[list[float]] = [[] for _ in range(takes)]  # onsets of the last 8 s

    def saw(self, onsets: Sequence[float]) -> None:
        """Each take has struck a key, at so many seconds of new music."""
        for heard, now in zip(self._heard, onsets, strict=True):
            heard.append(now)
            while heard[0] < now - SPAN:
                heard.pop(0)

    def wishes(self, times: Sequence[float]) -> list[int]:
        """The density class to ask of each take, at so many seconds of new music."""
        return [self._wish(take, max(now, 0.0)) for take, now in enumerate(times)]

    def were(self, times: Sequence[float]) -> list[int]:
        """The density class that each take has had, over the last 8 s."""
        return [int(density_wish(self._was(take, max(now, 0.0)))) for take, now in enumerate(times)]

    def _planned(self, take: int, now: float) -> float:
        planned = self.planned[take]
        return float(np.interp(now / KNOT, np.arange(len(planned)), planned))

    def _was(self, take: int, now: float) -> float:
        # In the first seconds the seed is part of the last 8.
        seed = self._planned(take, now) if self._seed is None else self._seed
        return (len(self._heard[take]) + seed * max(0.0, SPAN - now)) / SPAN

    def _wish(self, take: int, now: float) -> int:
        course, heard = self._planned(take, now), self._was(take, now)
        wanted, was = math.log(course + LEAST), math.log(heard + LEAST)
        asked = STEADY[0] + STEADY[1] * wanted + ANSWER * (wanted - was)
        found = int(density_wish(math.exp(min(asked, 5.0)) - LEAST))
        here = int(density_wish(course))
        return min(max(found, min(CLASSES[0], here)), max(CLASSES[1], here))


def _density(seed: NoteSequence) -> float | None:
    """Notes per second at the seed's end; None where it has too few to tell."""
    end = max((note.start for note in seed), default=0.0)
    last = sum(note.start > end - SPAN for note in seed)
    return last / min(SPAN, max(end, 1.0)) if last >= FEW else None


def _rank(quantiles: Floats, density: float | None) -> float | None:
    """Where a seed stands among the composer's openings, as a normal number."""
    if density is None:
        return None
    share = min(max(float(np.interp(density, quantiles, QUANTILES)), 0.001), 0.999)
    return min(max(NORMAL.inv_cdf(share) + OPENING, -OUTERMOST), OUTERMOST)


def _drawn(quantiles: Floats, begins: float | None, count: int, rng_seed: int, take: int) -> Floats:
    """`count` densities, one a knot: a mean of the piece, and what comes and goes around it."""
    key = np.array([rng_seed, take + 2**32], np.uint64)
    dice = np.random.Generator(np.random.Philox(key=key)).standard_normal(count + 2)
    first = dice[0] if begins is None else begins
    whole, rest = math.sqrt(PIECE), math.sqrt(1 - PIECE)
    piece, around = whole * first + rest * dice[1], rest * first - whole * dice[1]
    ranks = []
    for fresh in dice[2:]:
        ranks.append(whole * piece + rest * around)
        around = STAYS * around + math.sqrt(1 - STAYS**2) * fresh
    shares = [NORMAL.cdf(rank) for rank in ranks]
    found: Floats = np.interp(shares, QUANTILES, quantiles)
    return found
