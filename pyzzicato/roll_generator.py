"""Playing a network that draws the piano roll: 20 steps a second, any number of takes at once.

Source: Pyzzicato (2021): a seed is read, then every next step's keys are those whose sigmoid
passes a threshold. That is `keys="threshold"` here. Its known illness, that past ten seconds it
dries up, falls silent or blurs, is treated in two more ways of choosing keys:

- "automatic": still no chance, but the threshold moves so that the music keeps the density of
  the seed and, further on, of the composer;
- "sample": first how many keys are struck, then which, each by its probability; the same wish
  for density leans on how many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato import controls
from pyzzicato.codecs.piano_roll import (
    KEYS,
    ONSET,
    SOUNDING,
    VELOCITY,
    RollReader,
    draw_roll,
    note_array,
)
from pyzzicato.controls import control
from pyzzicato.errors import InvalidControl
from pyzzicato.generator import Generator, Step
from pyzzicato.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.roll_examples import INPUTS, condition_of, density_code
from pyzzicato.runtime import State, StepGraph, repeat
from pyzzicato.sampling import Dice, choose_count, choose_keys, sigmoid

__all__ = ["RollControls", "RollGenerator"]

SEED_SECONDS = 30.0  # how much of a long seed is read
LONGEST = 7.5  # seconds after which a held key is let go
NEWS = 5  # steps between two reports of a take


@dataclass(frozen=True, kw_only=True)
class RollControls(controls.Controls):
    """What a listener turns on a piano-roll network."""

    composer: str = control(
        "chopin", label="In the style of", help="Whose music the network should think of."
    )
    temperature: float = control(
        0.9,
        label="Wildness",
        help="Low keeps to what is likely, high dares more.",
        minimum=0.3,
        maximum=1.5,
        step=0.05,
        main=True,
        only_when=("keys", ("sample",)),
    )
    keys: str = control(
        "sample",
        label="How keys are chosen",
        help="By drawing lots, by a threshold that keeps the music dense, or by a fixed one.",
        choices=("sample", "automatic", "threshold"),
    )
    threshold: float = control(
        0.3,
        label="Threshold",
        help="How sure the network must be before a key sounds; lower gives more notes.",
        minimum=0.02,
        maximum=0.9,
        step=0.01,
        only_when=("keys", ("threshold",)),
    )
    busyness: float = control(
        1.0,
        label="Busyness",
        help="Notes per second, as a multiple of what the composer usually writes.",
        minimum=0.4,
        maximum=2.0,
        step=0.1,
        only_when=("keys", ("sample", "automatic")),
    )


class RollGenerator(Generator):
    """A trained piano-roll network, ready to play; made from its `ModelInfo`."""

    Controls = RollControls

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.graph = StepGraph(info.weights)
        self.rate = float(info.config["steps_per_second"])
        self.densities: dict[str, float] = info.trained.get("density", {})

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        """See `Generator.generate`. Raises InvalidControl for a composer it was not taught."""
        if controls.composer not in self.info.composers:
            known = ", ".join(self.info.composers)
            raise InvalidControl(
                f"The model {self.info.title} was not taught {controls.composer}: "
                f"choose one of {known}."
            )
        return self._play(seed, controls, takes)

    def _play(self, seed: NoteSequence, controls: RollControls, takes: int) -> Iterator[Step]:
        # A batch of one takes another path through the matrix product than a larger one, and the
        # last bits differ: with at least two, take k is the same however many there are.
        batch = max(takes, 2)
        wish = _Wish.of(seed, self.densities.get(controls.composer, 8.0), controls.busyness)
        logits, state = self._read(seed, controls, wish, batch)
        player = _Player(controls, batch, self.rate)
        readers = [RollReader(self.rate) for _ in range(takes)]
        news: list[list[Any]] = [[] for _ in range(takes)]
        condition = np.empty((batch, 2), np.float32)
        condition[:, 0] = condition_of(self.info.composers, controls.composer)
        total = round(controls.seconds * self.rate)
        for step in range(1, total + 1):
            target = wish.at(step / self.rate)
            planes = player.choose(logits[:, -1], target)
            for take, reader in enumerate(readers):
                news[take] += reader.push(
                    planes[take, SOUNDING], planes[take, ONSET], planes[take, VELOCITY]
                )
                if step == total:
                    news[take] += reader.close()
                if step % NEWS == 0 or step == total:
                    yield Step(tuple(news[take]), step / self.rate, take)
                    news[take] = []
            if step < total:
                condition[:, 1] = density_code(target)
                feed = {"roll": planes.reshape(batch, 1, INPUTS), "condition": condition}
                logits, state = self.graph.advance(feed, state)

    def _read(
        self, seed: NoteSequence, controls: RollControls, wish: _Wish, batch: int
    ) -> tuple[np.ndarray, State]:
        """What the network says after the seed, for every take, and its state then."""
        steps = int(np.ceil(min(seed.duration, SEED_SECONDS) * self.rate))
        roll = np.zeros((1, steps + 1, INPUTS), np.float32)
        first = seed.duration - steps / self.rate  # so that the seed ends on the grid
        roll[0, 1:] = draw_roll(note_array(seed), first, steps, self.rate).reshape(steps, INPUTS)
        row = condition_of(self.info.composers, controls.composer)
        condition = np.array([[row, density_code(wish.at(0.0))]], np.float32)
        logits, state = self.graph.advance(
            {"roll": roll, "condition": condition}, self.graph.start(1)
        )
        return np.repeat(logits[:, -1:], batch, axis=0), repeat(state, batch)


@dataclass(frozen=True, slots=True)
class _Wish:
    """How many notes a second are wanted: first as in the seed, then more and more as usual."""

    seed: float
    usual: float

    @classmethod
    def of(cls, seed: NoteSequence, composer: float, busyness: float) -> _Wish:
        usual = composer * busyness
        own = len(seed) / seed.duration if len(seed) >= 4 else usual
        return cls(float(np.clip(own, usual / 3, usual * 3)), usual)

    def at(self, seconds: float) -> float:
        trust = 0.25 + 0.75 * 0.5 ** (seconds / 15.0)
        return float(self.seed**trust * self.usual ** (1 - trust))


class _Player:
    """Chooses the keys of every take, step by step, and remembers what that needs."""

    def __init__(self, controls: RollControls, takes: int, rate: float) -> None:
        self.controls = controls
        self.rate = rate
        self.dice = Dice(controls.rng_seed, takes, 3 * KEYS + 1)
        self.held = np.zeros((takes, KEYS), np.int64)  # steps since each key was struck
        self.recent = np.zeros(0)  # notes a second, a running mean per take
        self.silence = np.zeros(takes)  # seconds since a key was struck
        self.threshold = np.full(takes, 0.25, np.float32)
        self.choosers = {
            "sample": self._sample,
            "automatic": self._automatic,
            "threshold": self._fixed,
        }

    def choose(self, logits: np.ndarray, target: float) -> np.ndarray:
        """The planes (takes, 3, 88) of the next step from `logits` (takes, 274)."""
        draws = self.dice.roll()
        if not len(self.recent):
            self.recent = np.full(len(logits), target)
        sounding, struck = self.choosers[self.controls.keys](logits, draws, target)
        if self.controls.keys != "threshold":
            sounding &= self.held < LONGEST * self.rate
        sounding |= struck
        self.held = np.where(struck, 1, (self.held + 1) * sounding)
        count = struck.sum(axis=1)
        self.silence = np.where(count > 0, 0.0, self.silence + 1 / self.rate)
        self.recent += (count * self.rate - self.recent) / (6.0 * self.rate)
        planes = np.empty((len(logits), 3, KEYS), np.float32)
        planes[:, SOUNDING], planes[:, ONSET] = sounding, struck
        planes[:, VELOCITY] = self._velocities(logits, struck, draws)
        return planes

    def _lean(self, target: float) -> np.ndarray:
        """How far to lean towards more notes (takes,), in logits: the lack of them, in octaves."""
        lack = np.log2(target + 0.25) - np.log2(self.recent + 0.25)
        lean: np.ndarray = np.clip(0.7 * lack + np.maximum(self.silence - 1.0, 0.0), -1.5, 3.0)
        return lean

    def _kept(self, logits: np.ndarray) -> np.ndarray:
        """The probability that a key that sounds goes on without being struck again."""
        sounding = sigmoid(logits[:, :KEYS])
        struck = sigmoid(logits[:, KEYS : 2 * KEYS])
        kept: np.ndarray = np.clip((sounding - struck) / (1.0 - struck + 1e-6), 0.0, 1.0)
        return kept

    def _sample(
        self, logits: np.ndarray, draws: np.ndarray, target: float
    ) -> tuple[np.ndarray, np.ndarray]:
        temperature = self.controls.temperature
        counts = logits[:, 3 * KEYS :] / temperature
        counts[:, 1:] += self._lean(target)[:, None]
        count = choose_count(counts, draws[:, -1])
        struck = choose_keys(
            logits[:, KEYS : 2 * KEYS] / temperature, count, draws[:, KEYS : 2 * KEYS]
        )
        sounding = (self.held > 0) & (draws[:, :KEYS] < self._kept(logits))
        return sounding, struck

    def _automatic(
        self, logits: np.ndarray, draws: np.ndarray, target: float
    ) -> tuple[np.ndarray, np.ndarray]:
        struck_chance = sigmoid(logits[:, KEYS : 2 * KEYS])
        self.threshold = np.clip(
            self.threshold * np.exp(-0.15 * self._lean(target)), 0.01, 0.8
        ).astype(np.float32)
        struck = struck_chance > self.threshold[:, None]
        sounding = (self.held > 0) & (self._kept(logits) > 0.5)
        return sounding, struck

    def _fixed(
        self, logits: np.ndarray, draws: np.ndarray, target: float
    ) -> tuple[np.ndarray, np.ndarray]:
        threshold = self.controls.threshold
        sounding = sigmoid(logits[:, :KEYS]) > threshold
        again = sigmoid(logits[:, KEYS : 2 * KEYS]) > threshold
        return sounding, sounding & (again | (self.held == 0))

    def _velocities(self, logits: np.ndarray, struck: np.ndarray, draws: np.ndarray) -> np.ndarray:
        loudness = np.clip(logits[:, 2 * KEYS : 3 * KEYS], 0.1, 1.0)
        if self.controls.keys == "sample":
            # A triangular draw of about the spread that the mean leaves unexplained.
            loudness = loudness + 0.12 * (draws[:, 2 * KEYS : 3 * KEYS] - 0.5)
        return np.where(struck, np.clip(loudness, 0.08, 1.0), 0.0)
