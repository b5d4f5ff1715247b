"""A guard against staying in one place: one bass octave for a minute, with notes between.

What is held up by other notes again and again is no exact repeat, so the rule of eight and the
rising temperature do not hear it. As in `processors.pitch_loops` things *in use* are counted: e to
the power of the entropy, in nats, of the last 32 and 64; so many, met equally often, are as varied.
Two things are: names (a note, a chord, a rest) and basses (the lowest key of each). Where fewer
are in use than in nearly all real music, each loses the more the oftener it was met.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from math import exp, log

import numpy as np

__all__ = ["BASSES", "MEMORIES", "NAMES", "InUse", "Spread"]

MEMORIES = (32, 64)  # tokens
# In use in them; of held-out stretches (after Beethoven, after all) 4 to 13 in 100 have fewer.
NAMES = (7.5, 12.0)
BASSES = (3.5, 6.0)
SPREAD = 2.0  # nats that what is met all the time would lose, for each that is missing
_WEIGHT = [0.0, *(count * log(count) for count in range(1, max(MEMORIES) + 1))]


class InUse:
    """How many different things are in use among the last `memory`, where `wanted` should be.

    `before` came first.
    """

    def __init__(self, memory: int, wanted: float, before: Iterable[int] = ()) -> None:
        self._memory, self._wanted = memory, wanted
        self.heard: Counter[int] = Counter()
        self._recent: deque[int] = deque()
        self._weight = 0.0  # of all counts: count x log(count)
        for thing in before:
            self.saw(thing)

    def saw(self, thing: int) -> None:
        """Takes in one more; the oldest is forgotten."""
        heard, recent = self.heard, self._recent
        if len(recent) == self._memory:
            oldest = recent.popleft()
            left = heard[oldest] - 1
            self._weight += _WEIGHT[left] - _WEIGHT[left + 1]
            if left:
                heard[oldest] = left
            else:
                del heard[oldest]
        recent.append(thing)
        count = heard[thing] = heard[thing] + 1
        self._weight += _WEIGHT[count] - _WEIGHT[count - 1]

    def missing(self) -> float:
        """How many fewer are in use; 0 as long as less than the memory is known."""
        if len(self._recent) < self._memory:
            return 0.0
        return max(0.0, self._wanted - self._memory * exp(-self._weight / self._memory))

    def losses(self) -> tuple[list[int], np.ndarray]:
        """The things that were met and the nats that each loses; none where enough are in use."""
        missing = self.missing()
        if not missing:
            return [], np.zeros(0, np.float32)
        counts = np.fromiter(self.heard.values(), np.float32, len(self.heard))
        return list(self.heard), counts * np.float32(SPREAD * missing / self._memory)


class Spread:
    """Watches the names that one take writes: places in `chords`, which are pitches, lowest first.

    `before` are those of what is gone on from.
    """

    def __init__(self, chords: Sequence[tuple[int, ...]], before: Sequence[int]) -> None:
        self._bass = [keys[0] if keys else -1 for keys in chords]
        self._basses_of = np.array(self._bass)
        low = [self._bass[name] for name in before if self._bass[name] >= 0]
        self._names, self._low = (
            [InUse(memory, few, met) for memory, few in zip(MEMORIES, wanted, strict=True)]
            for wanted, met in ((NAMES, before), (BASSES, low))
        )

    def lower(self, logits: np.ndarray) -> None:
        """Makes what was met too often less likely: one for each name (n,), in place."""
        for counted in self._names:
            names, losses = counted.losses()
            if names:
                logits[names] -= losses
        for counted in self._low:
            basses, losses = counted.losses()
            if basses:
                lost = np.zeros(129, np.float32)  # the last is the rest's
                lost[basses] = losses
                logits -= lost[self._basses_of]

    def saw(self, name: int) -> None:
        """Takes in the name just written."""
        for counted in self._names:
            counted.saw(name)
        if self._bass[name] >= 0:
            for counted in self._low:
                counted.saw(self._bass[name])
