"""Themes that come back: now and then a take plays something of its own again.

A network that writes one note a step hardly ever returns to what it played half a minute ago; real
pieces do. So from time to time, drawn by lots, a passage of the take's own new music is pointed at,
and for its length the notes that would repeat it are made more likely: of the passages that begin
after a breath that one whose first key the network itself finds likeliest just then, at a breath of
the music. The network may still say otherwise and play notes between, leave some out or linger; the
passage is followed by the clock from the last note of it that was met, and let go where too many
are missed. So what returns is varied as the network would have it.

Only new music comes back. The seed is somebody's, and whoever wants it again has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyzzicato.codecs.performance import (
    BINS,
    DURATION,
    PITCH,
    TICKS,
    TIME,
    VELOCITY,
    time_bounds,
)

__all__ = ["Returns"]

FIRST = (20.0, 40.0)  # seconds of new music before the first return
BETWEEN = (14.0, 34.0)  # seconds from the end of one to the next
LENGTH = (8.0, 20.0)  # seconds of a passage
AGO = 6.0  # seconds at least since a passage ended
PAUSE = 5.0  # seconds until the next try, where a passage was let go at once
BREATHS = (0.85, 0.9)  # of the waits are shorter: before a return, before a passage
RECENT = 200  # notes whose waits say what a breath is
FEW = 24  # notes; less is no music to return to
NEAR = 2.0  # nats that the first key may be less likely than the likeliest
THEME, EARLY = 1.0, 10.0  # nats in favour of passages that began in the first seconds
PULL = {TIME: 4.0, PITCH: 5.0, DURATION: 2.0, VELOCITY: 1.0}  # nats
AROUND = {TIME: 1, PITCH: 0, DURATION: 2, VELOCITY: 1}  # bins that are pulled nearly as much
NEARLY = 0.75
EARLIER = 3.0  # nats that shorter waits lose: breaths would be filled up
AHEAD = 5  # notes of the passage that may be met next
MISSES, AT_FIRST = 6, 3  # notes in a row that meet none of them; as long as few were met
FOLLOWED = (4, 8)  # notes met: no longer at first, and it counts as a return
TOGETHER = 2  # 10 ms steps; what is struck so near belongs to one chord
BOUNDS = time_bounds()


@dataclass
class _Passage:
    """What is played again: notes `place` to `end` of the take, the first still to come."""

    place: int
    end: int
    met: int = 0
    missed: int = 0
    there: float = 0.0  # seconds: when the last note that was met had been struck
    here: float = -1.0  # and when it was again; below 0 before any was met

    @property
    def over(self) -> bool:
        patience = AT_FIRST if self.met < FOLLOWED[0] else MISSES
        return self.place >= self.end or self.missed > patience


class _Take:
    """One take: its notes so far, and the passage it is in."""

    def __init__(self, rng_seed: int, take: int) -> None:
        key = np.array([rng_seed, take + 2**33], np.uint64)
        self._dice = np.random.Generator(np.random.Philox(key=key))
        self._codes: list[np.ndarray] = []
        self._onsets: list[float] = []
        self._due = float(self._dice.uniform(*FIRST))
        self.passage: _Passage | None = None

    def pull(self, logits: np.ndarray, field: int, wait: int) -> None:
        """Raises what would repeat the passage, (bins of `field`,), in place.

        `wait` is the time bin that was drawn; it means nothing where `field` is TIME.
        """
        if field == PITCH:
            self._move_on(wait)
            self._begin(wait, logits)
        expected = self._expected(field)
        if expected is None:
            return
        low, high = max(0, expected - AROUND[field]), min(BINS[field], expected + AROUND[field] + 1)
        logits[low:high] += NEARLY * PULL[field]
        logits[expected] += (1 - NEARLY) * PULL[field]
        if field == TIME:
            logits[:low] -= EARLIER

    def saw(self, codes: np.ndarray, now: float) -> None:
        """A note was written, (4,) codes, at so many seconds of new music."""
        self._codes.append(codes.copy())
        self._onsets.append(now)
        passage = self.passage
        if passage is None:
            return
        ahead = range(passage.place, min(passage.place + AHEAD, passage.end))
        met = next((n for n in ahead if self._codes[n][PITCH] == codes[PITCH]), None)
        if met is None:
            passage.missed += 1
        else:
            passage.met, passage.missed = passage.met + 1, 0
            passage.place, passage.there, passage.here = met + 1, self._onsets[met], now
        if passage.over:
            wait = self._dice.uniform(*BETWEEN) if passage.met >= FOLLOWED[1] else PAUSE
            self._due, self.passage = now + float(wait), None

    def _begin(self, wait: int, logits: np.ndarray) -> None:
        """Perhaps a passage begins with the next key, for which `logits` (88,) speak."""
        if self.passage or not self._onsets or self._onsets[-1] < self._due:
            return
        recent = np.array([codes[TIME] for codes in self._codes[-RECENT:]])
        spread = recent[recent > TOGETHER]
        if not len(spread) or wait < np.quantile(spread, BREATHS[0]):
            return
        onsets, length = np.array(self._onsets), self._dice.uniform(*LENGTH)
        last = int(np.searchsorted(onsets, onsets[-1] - length - AGO))
        if last < FEW:
            return
        waits = np.array([codes[TIME] for codes in self._codes[:last]])
        starts = np.flatnonzero(waits >= np.quantile(waits, BREATHS[1]))
        likely = logits[[int(self._codes[n][PITCH]) for n in starts]] - logits.max()
        likely += THEME * (onsets[starts] < EARLY)
        best = int(likely.argmax())
        if likely[best] >= -NEAR:
            first = int(starts[best])
            self.passage = _Passage(first, int(np.searchsorted(onsets, onsets[first] + length)))

    def _move_on(self, wait: int) -> None:
        """Time goes on: what is left of a chord is not waited for."""
        passage = self.passage
        if passage is None or passage.here < 0 or wait <= TOGETHER:
            return
        late = passage.there + (TOGETHER + 0.5) / TICKS
        while passage.place < passage.end - 1 and self._onsets[passage.place] < late:
            passage.place += 1

    def _expected(self, field: int) -> int | None:
        """The bin that would repeat the passage, if one is known."""
        passage = self.passage
        if passage is None:
            return None
        if field != TIME:
            return int(self._codes[passage.place][field])
        if passage.here < 0:
            return None
        ahead = self._onsets[passage.place] - passage.there
        wait = round((ahead - (self._onsets[-1] - passage.here)) * TICKS)
        # Between two keys of a chord the network would otherwise fill up the keyboard.
        if passage.missed and wait <= TOGETHER:
            return None
        return int(np.searchsorted(BOUNDS, max(wait, 0), side="right")) - 1


class Returns:
    """Watches what several takes write, and makes them return to it."""

    def __init__(self, rng_seed: int, takes: int) -> None:
        self._takes = [_Take(rng_seed, take) for take in range(takes)]

    def pull(self, logits: np.ndarray, field: int, chosen: np.ndarray) -> None:
        """Raises what would repeat a passage: (takes, bins of `field`) of logits, in place.

        `chosen`, (takes, 4), has the codes of the note so far.
        """
        for take, row, codes in zip(self._takes, logits, chosen, strict=True):
            take.pull(row, field, int(codes[TIME]))

    def saw(self, chosen: np.ndarray, times: Sequence[float]) -> None:
        """Each take has written a note, (takes, 4) codes, at so many seconds of new music."""
        for take, codes, now in zip(self._takes, chosen, times, strict=True):
            take.saw(codes, now)
