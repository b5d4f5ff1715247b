"""The tutorial way, against which `generation.py` measures: `model.predict` on a window, each step.

The network is the Keras model on TensorFlow with the weights of the step graph. At every step it
reads the whole window anew, its likeliest answer is appended, and so on. The window is the last
200 steps for piano rolls, as in their source, and as many tokens, characters or sixteenths as the
other networks were trained on at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from pyzzicato.codecs.melody import MelodyCodec, into_range
from pyzzicato.codecs.piano_roll import KEYS, draw_roll, note_array
from pyzzicato.families.abc.generate import TextGenerator
from pyzzicato.families.chords.generate import TokenGenerator
from pyzzicato.families.chords.windows import read_before
from pyzzicato.families.melody.encoding import MelodyReader
from pyzzicato.families.melody.generate import MelodyGenerator
from pyzzicato.families.piano_roll.generate import RollGenerator
from pyzzicato.families.piano_roll.windows import INPUTS, condition_of, density_code
from pyzzicato.formats.abc.writer import write_abc
from pyzzicato.generation.generator import Generator, batch_for
from pyzzicato.generation.sampling import sigmoid
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import StepGraph, repeat
from pyzzicato.seeds.library import Seed, all_seeds

__all__ = ["ROLL_WINDOW", "NaiveLoop", "graph_step", "naive_loop", "opening_for"]

ROLL_WINDOW = 200  # steps, 10 s


def opening_for(info: ModelInfo) -> Seed:
    """The seed that is gone on from: the first by a composer that the model was taught, if any."""
    every = all_seeds()
    return next((seed for seed in every if seed.composer.id in info.composers), every[0])


@dataclass(frozen=True)
class NaiveLoop:
    """A network that reads its whole `window` (1, steps, ...) for every new step."""

    network: Any
    name: str  # of the network's input
    window: np.ndarray
    answer: Callable[[np.ndarray], np.ndarray]  # what it says of a step -> what it reads next
    beside: Mapping[str, np.ndarray] = field(default_factory=dict)  # inputs that stay

    def seconds_a_step(self, steps: int) -> Callable[[], float]:
        """A variant: the median step of a short loop."""

        def variant() -> float:
            window, size, times = self.window, self.window.shape[1], []
            for _ in range(steps):
                begun = time.perf_counter()
                feed = {self.name: window[:, -size:], **self.beside}
                said = self.network.predict(feed, verbose=0)[0, -1]
                window = np.append(window, self.answer(said)[None, None], axis=1)
                times.append(time.perf_counter() - begun)
            return median(times)

        return variant


def naive_loop(
    info: ModelInfo, generator: Generator, network: Callable[[], Any]
) -> NaiveLoop | None:
    """The loop for a model, behind its opening; None for a kind that has none here.

    `network` gives the Keras model, and is not called where there is no loop.
    """
    makers: dict[type[Generator], Callable[..., NaiveLoop]] = {
        RollGenerator: _of_rolls,
        TokenGenerator: _of_tokens,
        TextGenerator: _of_characters,
        MelodyGenerator: _of_melodies,
    }
    made = (make for kind, make in makers.items() if isinstance(generator, kind))
    make = next(made, None)
    return make(info, generator, network()) if make else None


def _of_rolls(info: ModelInfo, generator: RollGenerator, network: Any) -> NaiveLoop:
    opening = opening_for(info)
    seed = opening.sequence()
    rate = float(info.config["steps_per_second"])
    begin = seed.duration - ROLL_WINDOW / rate
    roll = draw_roll(note_array(seed), begin, ROLL_WINDOW, rate)
    row = condition_of(info.composers, opening.composer.id)
    condition = np.array([[row, density_code(len(seed) / seed.duration)]], np.float32)

    def answer(logits: np.ndarray) -> np.ndarray:
        step = (sigmoid(logits[:INPUTS]) > 0.3).astype(np.float32)
        step[2 * KEYS :] = logits[2 * KEYS : 3 * KEYS] * step[KEYS : 2 * KEYS]
        return step

    window = roll.reshape(1, ROLL_WINDOW, INPUTS).astype(np.float32)
    return NaiveLoop(network, "roll", window, answer, {"condition": condition})


def _full(rows: np.ndarray, info: ModelInfo) -> np.ndarray:
    """A full window that ends with `rows` (steps, ...), again and again where they are few."""
    size = int(info.training["window"])
    again = np.concatenate([rows] * -(-size // len(rows)))
    return again[None, -size:]


def _of_tokens(info: ModelInfo, generator: TokenGenerator, network: Any) -> NaiveLoop:
    names = len(generator.codec.vocabulary.notes)
    rows = read_before(generator.codec.encode(opening_for(info).sequence()))

    def answer(said: np.ndarray) -> np.ndarray:
        return np.array([said[:names].argmax() + 1, said[names:].argmax() + 1], np.int32)

    return NaiveLoop(network, "tokens", _full(rows.astype(np.int32), info), answer)


def _of_characters(info: ModelInfo, generator: TextGenerator, network: Any) -> NaiveLoop:
    codes = generator.codec.encode(write_abc(opening_for(info).sequence()))

    def answer(said: np.ndarray) -> np.ndarray:
        return np.array(said.argmax(), np.int32)

    return NaiveLoop(network, "characters", _full(codes.astype(np.int32), info), answer)


def _of_melodies(info: ModelInfo, generator: MelodyGenerator, network: Any) -> NaiveLoop:
    seed = opening_for(info).sequence()
    reader = MelodyReader(1)
    events, _ = into_range(MelodyCodec(seed.qpm).encode(seed))
    rows = np.concatenate([reader.push(np.array([event])) for event in events])

    def answer(said: np.ndarray) -> np.ndarray:
        event = reader.meant()[0, said.argmax()]
        read: np.ndarray = reader.push(np.array([event]))[0]
        return read

    return NaiveLoop(network, "melody", _full(rows, info), answer)


def graph_step(generator: Generator, loop: NaiveLoop, steps: int) -> Callable[[], float]:
    """A variant: the median step of the network alone, for one take, as the generator goes."""

    def variant() -> float:
        step, times = _step(generator, loop), []
        for _ in range(steps):
            begun = time.perf_counter()
            step()
            times.append(time.perf_counter() - begun)
        return median(times)

    return variant


def _step(generator: Generator, loop: NaiveLoop) -> Callable[[], None]:
    """One step of the step graph, its state carried; a batch of two, as for one take."""
    batch = batch_for(1)
    if isinstance(generator, RollGenerator):
        walk = generator.walk(generator.graph.start(batch), 0, batch)
        return lambda: walk.step(0.0)
    if isinstance(generator, TokenGenerator):
        further = generator.walk(generator.graph.start(batch))
        codes = np.repeat(loop.window[0, -1:], batch, axis=0).astype(np.int64) - 1
        return lambda: further.step(codes)
    made: Any = generator
    graph: StepGraph = made.graph() if isinstance(generator, TextGenerator) else made.graph
    feed = {loop.name: np.repeat(loop.window[:, -1:], batch, axis=0).astype(np.float32)}
    state = repeat(graph.start(1), batch)

    def step() -> None:
        nonlocal state
        _, state = graph.advance(feed, state)

    return step
