"""Taking a piano-roll network through a piece one step at a time, without copying what it knows.

A walk belongs to one piece (of any number of takes) and is told a step in place: the caller
writes the last step into `roll`, calls `step`, and reads `logits`. Shapes and values: see
`pyzzicato.families.piano_roll.windows`.

Convolutions remember the steps that their taps read. A windowed graph keeps them in queues and
moves a whole queue up by one at every step; a `QueueWalk` keeps them where they are, in a ring,
and picks out only the taps of this step ("fast WaveNet", Le Paine et al., 2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from pyzzicato.families.piano_roll.windows import INPUTS, OUTPUTS
from pyzzicato.runtime.session import Carried, MadeGraph, State, StepGraph

__all__ = ["NOW", "PAST", "QueueWalk", "StateWalk", "Walk"]

PAST, NOW = "past", "now"  # the input and the output by which a one-step graph is told the past


class Walk(Protocol):
    """One piece on its way through a network."""

    @property
    def roll(self) -> np.ndarray:
        """The step that was just chosen, (takes, 264), to be written in place."""

    @property
    def logits(self) -> np.ndarray:
        """What is said of the next one, (takes, 274), overwritten by `step`."""

    def step(self, density: float) -> None:
        """One step further; `density` as the networks read it."""


class StateWalk:
    """A walk through any step graph: its states change places with the ones after them.

    `state` is what the seed left, `row` the composer's row of the embedding.
    """

    def __init__(self, graph: StepGraph, state: State, row: int, takes: int) -> None:
        self.roll = np.zeros((takes, INPUTS), np.float32)
        self.logits = np.zeros((takes, OUTPUTS), np.float32)
        self._condition = np.full((takes, 2), row, np.float32)
        feed = {"roll": self.roll[:, None], "condition": self._condition}
        self._run = Carried(graph, feed, self.logits[:, None], state)

    def step(self, density: float) -> None:
        """One step further; `density` as the networks read it."""
        self._condition[:, 1] = density
        self._run()


class QueueWalk:
    """A walk through dilated convolutions, each of kernel `kernel`.

    `graph` takes one step: `roll`, `about` (what the condition says in numbers, the density
    last) and `past`, for each convolution the `kernel` - 1 earlier inputs that its taps read,
    oldest first, (takes, convolutions x (kernel - 1) x channels); besides its output it gives
    `now`, each convolution's newest input, (takes, convolutions x channels). `queues` are the
    last (kernel - 1) x dilation inputs of each, (takes, so many, channels), and `about` the
    composer's numbers.
    """

    def __init__(
        self,
        graph: MadeGraph,
        queues: Sequence[np.ndarray],
        dilations: Sequence[int],
        about: np.ndarray,
    ) -> None:
        takes, _, channels = queues[0].shape
        self.roll = np.zeros((takes, INPUTS), np.float32)
        self.logits = np.zeros((takes, OUTPUTS), np.float32)
        self._about = np.zeros((takes, len(about) + 1), np.float32)
        self._about[:, :-1] = about
        kernel = queues[0].shape[1] // dilations[0] + 1
        self._taps = _taps(dilations, kernel)
        rows = len(self._taps)
        self._ring = np.zeros((takes, rows, len(queues), channels), np.float32)
        for number, queue in enumerate(queues):
            self._ring[:, rows - queue.shape[1] :, number] = queue
        self._flat = self._ring.reshape(takes, rows * len(queues), channels)
        self._past = np.zeros((takes, self._taps.shape[1], channels), np.float32)
        self._now = np.zeros((takes, len(queues), channels), np.float32)
        self._place = 0  # in the ring, of this step
        arrays: Mapping[str, np.ndarray] = {PAST: self._past, NOW: self._now}
        flat = {name: array.reshape(takes, -1) for name, array in arrays.items()}
        self._run = graph.bind(
            {"roll": self.roll, "about": self._about, PAST: flat[PAST]},
            {"output": self.logits, NOW: flat[NOW]},
        )

    def step(self, density: float) -> None:
        """One step further; `density` as the networks read it."""
        self._about[:, -1] = density
        # Every place is inside: "clip" only spares a copy that would be undone after an error.
        self._flat.take(self._taps[self._place], 1, self._past, "clip")
        self._run()
        self._ring[:, self._place] = self._now
        self._place = (self._place + 1) % len(self._taps)


def _taps(dilations: Sequence[int], kernel: int) -> np.ndarray:
    """Where in a ring of steps x convolutions the taps of each step lie.

    Row p is for a step that will be written to place p: (places, convolutions x (kernel - 1)).
    """
    places = np.arange((kernel - 1) * max(dilations))
    back = np.arange(kernel - 1, 0, -1) * np.array(dilations)[:, None]
    steps = (places[:, None, None] - back) % len(places)
    table: np.ndarray = steps * len(dilations) + np.arange(len(dilations))[:, None]
    return table.reshape(len(places), -1)
