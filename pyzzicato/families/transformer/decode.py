"""Writing the next note: four decisions one after another, then a note in seconds.

Time, pitch, duration and velocity are decided in this order; each decision is fed to the next
head. Everything is an array over takes, and what happens in one take depends on no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyzzicato.codecs.performance import (
    DURATION,
    PITCH,
    TICKS,
    TIME,
    VELOCITY,
    duration_seconds,
    time_bounds,
)
from pyzzicato.families.transformer.processors.articulation import TouchGuard
from pyzzicato.families.transformer.processors.density_plan import Course
from pyzzicato.families.transformer.processors.motif_recall import Returns
from pyzzicato.families.transformer.processors.pitch_loops import PitchGuard
from pyzzicato.families.transformer.processors.playability import CHORD, Hands
from pyzzicato.generation.generator import Step
from pyzzicato.generation.sampling import Dice, choose_class
from pyzzicato.music.notes import LOWEST_KEY, Note

__all__ = ["LONGEST_SILENCE", "NoteHeads", "Report", "Writer", "guided"]

FIELDS = ("time", "pitch", "duration", "velocity")
LONGEST_SILENCE = 5.0  # seconds; a longer wait is cut to this
SHORTEST = 0.01  # seconds; how long a note is at least, but for the very end
NEWS = 0.25  # seconds of music between two reports of a take
LOOSER = {DURATION: 1.05, VELOCITY: 1.1}  # times the temperature: see docs/decisions.md
ROLLED = 0.7  # of the chances, out of reach: from there on chords are rolled
NEVER = -1e9  # the logit of what is forbidden


class NoteHeads:
    """The four heads in numpy: between each two of them stands a random draw."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self._weights = weights

    def logits(self, hidden: np.ndarray, field: int) -> np.ndarray:
        """Logits (takes, bins of `field`) from what the head reads, (takes, width)."""
        name, w = FIELDS[field], self._weights
        root = np.sqrt((hidden * hidden).mean(axis=-1, keepdims=True) + 1e-6)
        z = np.maximum((hidden / root * w[f"{name}_norm/scale"]) @ w[f"{name}_up/kernel"], 0.0)
        result: np.ndarray = (z * z) @ w[f"{name}_out/kernel"] + w[f"{name}_out/bias"]
        return result

    def told(self, hidden: np.ndarray, field: int, chosen: np.ndarray) -> np.ndarray:
        """What the next head reads, once `field` has been chosen (takes,)."""
        result: np.ndarray = hidden + self._weights[f"chosen_{field}/embeddings"][chosen]
        return result


def guided(logits: np.ndarray, takes: int, guidance: float) -> np.ndarray:
    """Logits (takes, bins), the composer's part made larger.

    Of twice as many rows the second half was told without the composer. What the composer adds to
    the logits counts `guidance` times (Ho and Salimans, 2022: classifier-free guidance).
    """
    if len(logits) == takes:
        return logits
    free = logits[takes:]
    result: np.ndarray = free + guidance * (logits[:takes] - free)
    return result


class Writer:
    """Draws the four codes of the next note of every take.

    `controls` has rng_seed, temperature, top_p, min_p and guidance; `guard` watches what is
    repeated. Where they are given, `returns` makes takes come back to what they had, `touch` to
    how connected the composer's music is played, and `course` to how dense it is meant to be.
    """

    def __init__(
        self,
        heads: NoteHeads,
        controls: Any,
        takes: int,
        guard: PitchGuard,
        returns: Returns | None = None,
        touch: TouchGuard | None = None,
        course: Course | None = None,
    ) -> None:
        self.heads = heads
        self.controls = controls
        self.guard = guard
        self.returns = returns
        self.touch = touch
        self.course = course
        self.dice = Dice(controls.rng_seed, takes, len(FIELDS) + 1)
        self.stop_dice = Dice(controls.rng_seed + 2**32, takes, 1)
        self.bounds = time_bounds()
        self.stops = np.append(self.bounds[1:], self.bounds[-1] + 1)
        self.hands = Hands(takes)

    def write(
        self, hidden: np.ndarray, *, least: np.ndarray, most: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The codes (takes, 4) and the 10 ms steps within a wide time bin (takes,).

        `hidden` is (takes, width), or twice as many rows: the second half was read without the
        composer (`guided`). The wait is at least `least` (takes,) such steps, and below `most`
        where that is given.
        """
        draws = self.dice.roll()
        takes = len(least)
        chosen = np.zeros((takes, len(FIELDS)), np.int64)
        for field in range(len(FIELDS)):
            logits = guided(self.heads.logits(hidden, field), takes, self.controls.guidance)
            if field == TIME:
                if self.course:
                    self.course.lean(logits)
                logits[self._too_soon(np.maximum(least, self.hands.rest()))] = NEVER
                if most is not None:
                    logits[self.bounds >= np.maximum(most, 1)[:, None]] = NEVER
            if field == PITCH:
                logits[self.hands.struck(self.bounds[chosen[:, TIME]])] = NEVER
                self.guard.lower(logits)
                self._keep_in_reach(logits, chosen, most)
            if field == DURATION and self.touch:
                self.touch.lean(logits)
            if self.returns:
                self.returns.pull(logits, field, chosen)
            chosen[:, field] = self._drawn(logits, draws[:, field], field)
            if field < VELOCITY:
                told = np.tile(chosen[:, field], len(hidden) // takes)
                hidden = self.heads.told(hidden, field, told)
        self.guard.saw(chosen[:, PITCH])
        widths = (self.stops - self.bounds)[chosen[:, TIME]]
        fine = (draws[:, -1] * widths).astype(np.int64)
        waits = self.bounds[chosen[:, TIME]] + fine
        self.hands.strike(chosen[:, PITCH], waits)
        if self.touch:
            self.touch.saw(chosen[:, PITCH], chosen[:, DURATION], waits)
        return chosen, fine

    def _drawn(self, logits: np.ndarray, draws: np.ndarray, field: int) -> np.ndarray:
        """One code of each take, (takes,).

        A wrong key or a wrong moment is heard; a note that is unusually long or loud is what
        makes playing lively. So of touch nothing unlikely is left out.
        """
        asked = self.controls
        if field in LOOSER:
            return choose_class(logits, draws, temperature=LOOSER[field] * asked.temperature)
        return choose_class(
            logits,
            draws,
            temperature=asked.temperature,
            top_p=asked.top_p,
            min_p=asked.min_p,
        )

    def full(self, hidden: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        """Whether a gap with `most` 10 ms steps left is full, (takes,) of bool.

        A network that has learned to fill gaps has seen only notes inside them: it would write
        ever faster towards the end. So `hidden`, from a reading that knows of no gap, tells how
        likely the next note comes at the gap's end or later, and lots decide by that.
        """
        logits = self.heads.logits(hidden, TIME) / self.controls.temperature
        logits[self._too_soon(least)] = NEVER
        chance = np.exp(logits - logits.max(axis=-1, keepdims=True))
        later = np.where(self.bounds >= most[:, None], chance, 0.0).sum(axis=-1)
        crowded = self.hands.rest() >= most
        draws = self.stop_dice.roll()[:, 0]
        full: np.ndarray = (draws * chance.sum(axis=-1) < later) | crowded | (most < 1)
        return full

    def _keep_in_reach(
        self, logits: np.ndarray, chosen: np.ndarray, most: np.ndarray | None
    ) -> None:
        """Forbids keys (takes, 88) that no hand reaches at the chosen moment, in place.

        Where most of what the network has in mind is out of reach, the chord is rolled: the moment
        is put off until the hands are free, but for a gap that leaves no time for it.
        """
        beyond = self.hands.beyond(self.bounds[chosen[:, TIME]])
        if not beyond.any():
            return
        chance = np.exp(logits - logits.max(axis=-1, keepdims=True))
        lost = np.where(beyond, chance, 0.0).sum(axis=-1) > ROLLED * chance.sum(axis=-1)
        if most is not None:
            lost &= most > CHORD
        if lost.any():
            chosen[lost, TIME] = CHORD
            beyond = self.hands.beyond(self.bounds[chosen[:, TIME]])
        logits[beyond] = NEVER

    def _too_soon(self, least: np.ndarray) -> np.ndarray:
        """Which time bins end before `least` steps, (takes, 128); never the last one."""
        soon: np.ndarray = self.stops <= least[:, None]
        soon[:, -1] = False
        return soon


class Report:
    """One take's news: notes in seconds of new music, a note's end cut where its key returns.

    `ends` has, by pitch, the second at which a key is struck by what comes after; without it
    every note ends with the music.
    """

    def __init__(
        self, seconds: float, begin: float, ends: Mapping[int, float] | None = None
    ) -> None:
        self.seconds = seconds
        self.now = begin  # seconds of new music at the last onset; before 0 inside the seed
        self.done = False
        self._ends = ends
        self._bounds, self._lengths = time_bounds(), duration_seconds()
        self._open: dict[int, Note] = {}
        self._finished: list[Note] = []
        self._told = 0.0

    def add(self, codes: np.ndarray, fine: int) -> Step | None:
        """Takes the next note in; a Step when there is enough news."""
        if self.done:
            return None
        wait = float(self._bounds[codes[TIME]] + fine) / TICKS
        self.now += min(wait, LONGEST_SILENCE + max(0.0, -self.now))
        if self.now > self.seconds - SHORTEST / 2:
            return self.finish()
        start, pitch = max(self.now, 0.0), int(codes[PITCH]) + LOWEST_KEY
        before = self._open.get(pitch)
        finished = [before._replace(end=min(before.end, start))] if before else []
        length = max(float(self._lengths[codes[DURATION]]), SHORTEST)
        velocity = max(1, min(127, int(codes[VELOCITY]) * 4 + 2))
        end = min(start + length, self._last_end(pitch))
        self._open[pitch] = Note(start, end, pitch, velocity)
        if finished and finished[0].end > finished[0].start:
            self._finished += finished
        if start - self._told >= NEWS:
            return self._step(start)
        return None

    def finish(self) -> Step | None:
        """Ends the music; the last Step, or None where it has ended before."""
        if self.done:
            return None
        self.done = True
        return self._step(self.seconds)

    def _last_end(self, pitch: int) -> float:
        return self.seconds if self._ends is None else self._ends.get(pitch, np.inf)

    def _step(self, time: float) -> Step:
        ended = [p for p, note in self._open.items() if note.end <= time or self.done]
        notes = [*self._finished, *(self._open.pop(p) for p in ended)]
        self._finished = []
        self._told = time
        return Step(tuple(notes), time)
