"""The course of density: how a piece goes from sparse to dense and back, drawn by lots.

A network that reads nothing but its own notes grows denser: many notes make many more likely.
Real music comes back. So how dense it shall be is wished for from the outside, along a course of
notes per second that is made as real music makes it. Measured for it, composer by composer, and
kept in training.json:

- "course": how often that composer's music is how dense, `QUANTILES`;
- "steadiness": how like each other two windows of a piece are, beside each other and far apart;
- "answer": how dense the network plays what it is asked for (`tools/measure_answers.py`). Where it
  stays near what is usual for somebody, it is asked for what is further off.

Ranks are drawn as normal numbers and turned into densities by the quantiles. The course of a take
begins where the seed stands among openings. Where it goes as a whole is not left to chance alone:
successive numbers and takes are spread evenly over what is usual, so three takes seldom are alike.

Two things keep the music to it. The network reads the course as a wish for density, overstated, for
it follows slowly and not all the way. And the chances of the moments are leaned: the further the
last 8 s and the last `LATELY` seconds are off the course, the likelier shorter or longer waits are.
A wish that answers to what was played comes too late: the network first goes on as before and then
all the way, from bursts to gaps and back.

The course gives way: a piece goes on `GIVES` of the way from where it was meant to be to where its
first minute has turned out to be, as pieces keep their pace. What wandering remains is why the
course comes and goes a little less than real music: `WANDERS` of the variance that two windows of a
piece far apart do not share.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from pyzzicato.codecs.performance import TICKS, time_bounds
from pyzzicato.density import COURSE_SECONDS, EVERYBODY, QUANTILES
from pyzzicato.notes import NoteSequence
from pyzzicato.performance_examples import DENSITY_EDGES, SPAN, density_wish
from pyzzicato.sampling import evenly

__all__ = ["Course", "Pace", "level", "pace_of"]

STEADINESS = (0.68, 0.32)  # of everybody together, where a model's table has none
STEADIEST = 0.95  # of the variance at most belongs to a piece: no course stands still
WANDERS = 0.6  # of the variance that a piece does not share with itself is drawn
KNOT = COURSE_SECONDS  # seconds between two values of a course
WIDENED = 1.07  # times as wide are ranks drawn: half a minute's mean of a course is narrower
OPENING = 0.28  # standard deviations that openings are sparser than the rest
OUTERMOST = 0.6  # standard deviations; a written seed tells no more than that
TELLS = 0.25  # of a seed's rank is the piece's as a whole
FEW = 8  # notes; a shorter seed says nothing about density
MORE = 1.1  # times the logarithm is wished: the network falls a little short of a wish
LATELY = 40.0  # seconds
PULL = 0.3  # nats for a wait e times as short, for each such factor the last 8 s are too sparse
PULL_LATELY = 1.5  # the same for the last LATELY seconds
STRONGEST = 1.5  # nats, of both together
GIVES = 0.2  # of what the first minute was off; see Pace
SETTLED = 60.0  # seconds, after which a course no longer gives way
DOUBT = 8.0  # seconds as they were meant, added to what was played: one note says little
LEAST = 0.3  # notes a second, added before logarithms, and the fewest that are asked for
PLAIN = (0.0, 1.0)  # the answer of a network that plays what it is asked for
SPREAD = (0.618034, 0.754878)  # of pieces, evenly: for the next rng_seed, for the next take
DENSEST = 40.0  # notes a second; the end of the densest class
AT_ONCE = 0.03  # seconds; shorter waits are of one chord, and leaning treats them alike
CLASSES = (2, 10)  # of wishes; the outermost have hardly been seen in training
NORMAL = NormalDist()

Floats = npt.NDArray[np.float64]


def _waits() -> Floats:
    """The logarithm of each time bin's middle in seconds, (128,)."""
    bounds = time_bounds()
    middles = (bounds + np.append(bounds[1:], bounds[-1] + 1)) / 2 / TICKS
    waits: Floats = np.log(np.maximum(middles, AT_ONCE))
    return waits


WAITS = _waits()


@dataclass(frozen=True)
class Pace:
    """How dense somebody's music is, and how its density comes and goes.

    `quantiles` (21,) of notes per second, rising; `piece`, the share of the variance of ranks that
    belongs to a piece as a whole; `stays`, of the rest, from one knot to the next; `gives`, how far
    the course gives way, 0 to 1. `answer`: the logarithm of what is played is the first plus the
    second, above 0, times that of what is asked for.
    """

    quantiles: Floats
    piece: float = 0.45
    stays: float = 0.42
    gives: float = GIVES
    answer: tuple[float, float] = PLAIN

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
    return Pace(rising, float(piece), float(stays), answer=(float(more), float(times)))


def level(asked: int) -> Pace:
    """A pace that stays in the middle of one density class, 1 to 11."""
    edges = np.concatenate([[0.5], DENSITY_EDGES, [DENSEST]])
    quantiles = np.full(len(QUANTILES), math.sqrt(edges[asked - 1] * edges[asked]))
    return Pace(quantiles, gives=0.0)


class Course:
    """The density wishes of several takes that go on from one seed.

    `pace` is of `pace_of` or `level`. `planned`, (takes, knots), are the notes per second that are
    meant; take k's depend on `rng_seed` and k alone.
    """

    def __init__(
        self, pace: Pace, seed: NoteSequence, seconds: float, rng_seed: int, takes: int
    ) -> None:
        count = math.ceil(seconds / KNOT) + 2
        self._pace = pace
        self._seed = _density(seed)
        begins = _rank(pace.quantiles, self._seed)
        self.planned = np.array(
            [_drawn(pace, begins, count, rng_seed, take) for take in range(takes)]
        )
        self._played = [_Played() for _ in range(takes)]
        self._times = [0.0] * takes

    def saw(self, onsets: Sequence[float]) -> None:
        """Each take has struck a key, at so many seconds of new music."""
        self._times = [max(onset, 0.0) for onset in onsets]  # before 0 inside the seed
        for take, now in enumerate(self._times):
            self._played[take].add(now, self._asked(take, now))

    def wishes(self) -> list[int]:
        """The density class to ask of each take from now on."""
        return [self._wish(take, now) for take, now in enumerate(self._times)]

    def lean(self, logits: np.ndarray) -> None:
        """Makes waits that lead back to the course more likely: (takes, 128) logits, in place."""
        sparse = [self._sparse(take, now) for take, now in enumerate(self._times)]
        logits -= np.clip(sparse, -STRONGEST, STRONGEST)[:, None] * WAITS

    def _asked(self, take: int, now: float) -> float:
        planned = self.planned[take]
        meant = float(np.interp(now / KNOT, np.arange(len(planned)), planned))
        return self._pace.asked(meant)

    def _given(self, take: int, now: float) -> float:
        return self._pace.gives * self._played[take].off(0.0, min(now, SETTLED))

    def _meant(self, take: int, now: float) -> float:
        """The logarithm of notes per second, where the course has given way."""
        return math.log(self._asked(take, now) + LEAST) + self._given(take, now)

    def _wish(self, take: int, now: float) -> int:
        meant = self._meant(take, now)
        found = int(density_wish(math.exp(MORE * meant) - LEAST))
        here = int(density_wish(math.exp(meant) - LEAST))
        return min(max(found, min(CLASSES[0], here)), max(CLASSES[1], here))

    def _sparse(self, take: int, now: float) -> float:
        """How much the music is too sparse, in nats for a wait e times as short."""
        played = self._played[take]
        # In the first seconds the seed is part of the last 8.
        seed = self._asked(take, now) if self._seed is None else self._seed
        was = (played.since(now - SPAN) + seed * max(0.0, SPAN - now)) / SPAN
        missed = self._meant(take, now) - math.log(was + LEAST)
        lately = self._given(take, now) - played.off(max(0.0, now - LATELY), now)
        return PULL * missed + PULL_LATELY * lately


class _Played:
    """The onsets of one take, and how many notes were meant until each of them."""

    def __init__(self) -> None:
        self._onsets, self._meant = [0.0], [0.0]  # the first is the beginning and no note

    def add(self, now: float, per_second: float) -> None:
        """A key was struck, where so many notes per second were asked for."""
        self._meant.append(self._meant[-1] + per_second * max(0.0, now - self._onsets[-1]))
        self._onsets.append(now)

    def since(self, time: float) -> int:
        """How many keys were struck from then on."""
        return len(self._onsets) - max(bisect_left(self._onsets, time), 1)

    def off(self, since: float, until: float) -> float:
        """How much denser it was than it was meant to be, as a logarithm, 0 at the beginning."""
        first = max(bisect_left(self._onsets, since), 1)
        last = max(bisect_right(self._onsets, until), first)
        seconds = self._onsets[last - 1] - self._onsets[first - 1]
        if seconds <= 0:
            return 0.0
        meant = self._meant[last - 1] - self._meant[first - 1]
        more = DOUBT * meant / seconds + LEAST * seconds
        return math.log((last - first + more) / (meant + more))


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


def _drawn(pace: Pace, begins: float | None, count: int, rng_seed: int, take: int) -> Floats:
    """`count` densities, one a knot: a mean of the piece, and what comes and goes around it."""
    key = np.array([rng_seed, take + 2**32], np.uint64)
    dice = np.random.Generator(np.random.Philox(key=key)).standard_normal(count + 1)
    whole, rest = math.sqrt(pace.piece), math.sqrt(1 - pace.piece)
    piece, around = NORMAL.inv_cdf(evenly(rng_seed, take, SPREAD)), float(dice[0])
    if begins is not None:
        piece += TELLS * begins
        around = (begins - whole * piece) / rest
    ranks = []
    for fresh in dice[1:]:
        ranks.append(whole * piece + rest * around)
        around = pace.stays * around + math.sqrt(1 - pace.stays**2) * fresh
    shares = [NORMAL.cdf(WIDENED * rank) for rank in ranks]
    found: Floats = np.interp(shares, QUANTILES, pace.quantiles)
    return found
