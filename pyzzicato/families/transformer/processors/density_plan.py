"""The course of density: how a piece goes from sparse to dense and back, drawn by lots.

A network that reads nothing but its own notes grows denser: many notes make many more likely.
Real music comes back. So how dense it shall be is wished for from the outside, along a course of
notes per second that is made as real music makes it (`transformer.processors.density_control`).

Two things keep the music to it. The network reads the course as a wish for density, overstated, for
it follows slowly and not all the way. And the chances of the moments are leaned: the further the
last 8 s and the last `LATELY` seconds are off the course, the likelier shorter or longer waits are.
A wish that answers to what was played comes too late: the network first goes on as before and then
all the way, from bursts to gaps and back.

The course gives way: a piece goes on `Pace.gives` of the way from where it was meant to be to where
its first minute has turned out to be, as pieces keep their pace.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pyzzicato.codecs.performance import TICKS, time_bounds
from pyzzicato.families.transformer.processors.density_control import KNOT, LEAST, Pace, draw_course
from pyzzicato.families.transformer.windows import SPAN, density_wish
from pyzzicato.music.notes import NoteSequence

__all__ = ["Course"]

FEW = 8  # notes; a shorter seed says nothing about density
MORE = 1.1  # times the logarithm is wished: the network falls a little short of a wish
LATELY = 40.0  # seconds
PULL = 0.3  # nats for a wait e times as short, for each such factor the last 8 s are too sparse
PULL_LATELY = 1.5  # the same for the last LATELY seconds
STRONGEST = 1.5  # nats, of both together
SETTLED = 60.0  # seconds, after which a course no longer gives way
DOUBT = 8.0  # seconds as they were meant, added to what was played: one note says little
AT_ONCE = 0.03  # seconds; shorter waits are of one chord, and leaning treats them alike
CLASSES = (2, 10)  # of wishes; the outermost have hardly been seen in training

Floats = npt.NDArray[np.float64]


def _waits() -> Floats:
    """The logarithm of each time bin's middle in seconds, (128,)."""
    bounds = time_bounds()
    middles = (bounds + np.append(bounds[1:], bounds[-1] + 1)) / 2 / TICKS
    waits: Floats = np.log(np.maximum(middles, AT_ONCE))
    return waits


WAITS = _waits()


class Course:
    """The density wishes of several takes that go on from one seed.

    `pace` is of `density_control`. `planned`, (takes, knots), are the notes per second that are
    meant; take k's depend on `rng_seed` and k alone.
    """

    def __init__(
        self, pace: Pace, seed: NoteSequence, seconds: float, rng_seed: int, takes: int
    ) -> None:
        count = math.ceil(seconds / KNOT) + 2
        self._pace = pace
        self._seed = _density(seed)
        self.planned = np.array(
            [draw_course(pace, self._seed, count, rng_seed, take) for take in range(takes)]
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
