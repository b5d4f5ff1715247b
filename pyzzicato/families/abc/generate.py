"""Playing a network that writes ABC: it writes tune after tune, each is read when it is finished.

`Step.text` is the text as it is written, after what was read of a seed. A tune that is not quite
ABC is repaired as far as that goes, and a comment in the text (after %) says what was left out; one
that turns round on a single note is left out as a whole. All takes are one batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyzzicato.codecs.abc_text import AbcText, typed
from pyzzicato.errors import InvalidControl
from pyzzicato.families.abc.controls import ANY, TextControls, checkpoints_of, controls_of
from pyzzicato.families.abc.decode import TuneReader
from pyzzicato.families.abc.plain import forced_text
from pyzzicato.formats.abc.tune_book import SEED_ENDS
from pyzzicato.formats.abc.writer import melody_prompt
from pyzzicato.generation.generator import Generator, Step, batch_for
from pyzzicato.generation.sampling import Dice, choose_class
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import StepGraph, repeat

__all__ = ["TextGenerator"]

SEED_SECONDS = 20.0  # of a seed, the last ones are written down


class TextGenerator(Generator):
    """A trained character network, ready to play; made from its `ModelInfo`."""

    Controls = TextControls

    @classmethod
    def controls_for(cls, info: ModelInfo) -> type[TextControls]:
        """The controls of this model: its own characters, checkpoints, kinds and keys."""
        return controls_of(info.config, info.training)

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.codec = AbcText(info.config["vocabulary"])
        self.prompts = bool(info.config.get("prompts"))
        self.checkpoints = checkpoints_of(info.training)
        self._last = StepGraph(info.weights)
        self._graphs: dict[int, StepGraph] = {}

    def reads(self, seed: NoteSequence) -> str:
        """See `Generator.reads`: the melody of its end."""
        if not melody_prompt(seed, SEED_SECONDS, self.prompts):
            return "There is no melody in this seed to write down: it begins by itself."
        return (
            f"Of this seed the melody of the last {SEED_SECONDS:.0f} seconds is written down in "
            "ABC and read."
        )

    def graph(self, checkpoint: int | None = None) -> StepGraph:
        """The network after so many epochs, None for the last.

        Raises InvalidControl where none was kept then, ModelUnavailable where its file is gone.
        """
        if checkpoint is None or (self.checkpoints and checkpoint == self.checkpoints[-1]):
            return self._last
        if checkpoint not in self.checkpoints:
            known = ", ".join(map(str, self.checkpoints))
            raise InvalidControl(f"There is no checkpoint {checkpoint}: choose one of {known}.")
        if checkpoint not in self._graphs:
            path = self.info.folder / f"checkpoint_{checkpoint}.onnx"
            self._graphs[checkpoint] = StepGraph(path)
        return self._graphs[checkpoint]

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        """See `Generator.generate`. Raises InvalidControl for a checkpoint that was not kept."""
        return self._write(self.graph(getattr(controls, "checkpoint", None)), seed, controls, takes)

    def _write(
        self, graph: StepGraph, seed: NoteSequence, controls: Any, takes: int
    ) -> Iterator[Step]:
        batch = batch_for(takes)
        kind, key = (
            "" if wish == ANY else wish
            for wish in (getattr(controls, "kind", ANY), getattr(controls, "key", ANY))
        )
        prompt = melody_prompt(seed, SEED_SECONDS, self.prompts, kind, key)
        start = prompt.text if prompt else self._start(controls, kind, key)
        readers = [
            TuneReader(controls.seconds, controls.characters, prompt.header if prompt else "")
            for _ in range(takes)
        ]
        for take, reader in enumerate(readers):
            if prompt:
                yield Step((), 0.0, take, f"{prompt.text}\n{SEED_ENDS}")
            else:
                yield from _of(take, reader.add(start))
        dice = Dice(controls.rng_seed, batch, 1)
        logits, state = graph.advance(
            {"characters": self.codec.encode(start)[None].astype(np.float32)}, graph.start(1)
        )
        said, state = np.repeat(logits[:, -1], batch, axis=0), repeat(state, batch)
        forced = ["" for _ in range(batch)]
        while not all(reader.done for reader in readers):
            draw = dice.roll()[:, 0]
            chosen = choose_class(said, draw, temperature=controls.temperature)
            for take, reader in enumerate(readers):
                if self.prompts and not forced[take]:
                    forced[take] = forced_text(reader.whole, kind, key)
                if forced[take]:
                    chosen[take] = self.codec.encode(forced[take][0])[0]
                    forced[take] = forced[take][1:]
                yield from _of(take, reader.add(self.codec.decode(chosen[take : take + 1])))
            feed = {"characters": chosen[:, None].astype(np.float32)}
            logits, state = graph.advance(feed, state)
            said = logits[:, -1]

    def _start(self, controls: Any, kind: str, key: str) -> str:
        """What the text begins with where there is no seed."""
        if self.prompts:
            return forced_text("", kind, key)
        return typed(controls.start)


def _of(take: int, steps: Iterator[Step]) -> Iterator[Step]:
    return (step._replace(take=take) for step in steps)
