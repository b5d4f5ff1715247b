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

from pyzzicato.codecs.piano_roll import KEYS, draw_roll, note_array
from pyzzicato.errors import InvalidControl
from pyzzicato.families.piano_roll.decode import Player
from pyzzicato.families.piano_roll.walk import StateWalk, Walk
from pyzzicato.families.piano_roll.windows import INPUTS, condition_of, density_code
from pyzzicato.families.piano_roll.wishes import Taught, Wish
from pyzzicato.generation import controls
from pyzzicato.generation.controls import control
from pyzzicato.generation.generator import Generator, Step, batch_for
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import State, StepGraph, repeat

__all__ = ["RollControls", "RollGenerator"]

SEED_SECONDS = 30.0  # how much of a long seed is read
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
        help=(
            "By drawing lots; by a threshold that moves so that the music stays alive; or by the "
            "fixed one that was published, with which it soon falls silent or blurs."
        ),
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
        self.taught = Taught.of(info.trained)

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        """See `Generator.generate`. Raises InvalidControl for a composer it was not taught."""
        if controls.composer not in self.info.composers:
            known = ", ".join(self.info.composers)
            raise InvalidControl(
                f"The model {self.info.title} was not taught {controls.composer}: "
                f"choose one of {known}."
            )
        return self._play(seed, controls, takes)

    def reads(self, seed: NoteSequence) -> str:
        """See `Generator.reads`: the end of a long seed."""
        if seed.duration <= SEED_SECONDS:
            return ""
        return f"Only the last {SEED_SECONDS:.0f} seconds of this seed are read."

    def _play(self, seed: NoteSequence, controls: RollControls, takes: int) -> Iterator[Step]:
        batch = batch_for(takes)
        wish = Wish.of(seed, self.taught, controls.composer, controls.busyness)
        row = condition_of(self.info.composers, controls.composer)
        logits, state = self._read(seed, row, wish)
        walk = self.walk(repeat(state, batch), row, batch)
        walk.logits[:] = logits
        planes = walk.roll[:takes].reshape(takes, 3, KEYS)
        player = Player(controls, wish, self.taught, walk.logits[:takes], planes, self.rate)
        total = round(controls.seconds * self.rate)
        for step in range(1, total + 1):
            player.choose()
            if step == total:
                player.keys.close()
            if step % NEWS == 0 or step == total:
                for take in range(takes):
                    yield Step(player.keys.news(take), step / self.rate, take)
            if step < total:
                walk.step(density_code(player.density))

    def walk(self, state: State, row: int, takes: int) -> Walk:
        """On from the seed: `state` is that of every take after it, `row` the composer's."""
        return StateWalk(self.graph, state, row, takes)

    def _read(self, seed: NoteSequence, row: int, wish: Wish) -> tuple[np.ndarray, State]:
        """What the network says after the seed, (274,), and its state then."""
        steps = int(np.ceil(min(seed.duration, SEED_SECONDS) * self.rate))
        roll = np.zeros((1, steps + 1, INPUTS), np.float32)
        first = seed.duration - steps / self.rate  # so that the seed ends on the grid
        roll[0, 1:] = draw_roll(note_array(seed), first, steps, self.rate).reshape(steps, INPUTS)
        condition = np.array([[row, density_code(wish.density(0.0))]], np.float32)
        logits, state = self.graph.advance(
            {"roll": roll, "condition": condition}, self.graph.start(1)
        )
        return logits[0, -1], state
