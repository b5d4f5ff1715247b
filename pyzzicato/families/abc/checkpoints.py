"""The checkpoints of a character network side by side: the same start, the same draws.

Source: Giba and Rudeanu, whose window lets one choose among nine: one sees the network learn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyzzicato.errors import ModelUnavailable
from pyzzicato.families.abc.controls import checkpoints_of
from pyzzicato.generation.generator import collect
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo

__all__ = ["Attempt", "attempts"]

LONGEST = 300.0  # seconds of a text's music
_MORE = re.compile(r"% left out: (\d+) more")


@dataclass(frozen=True)
class Attempt:
    """What one checkpoint wrote: its text, the music in it, how many signs were left out."""

    epochs: int
    text: str
    music: NoteSequence
    left_out: int

    @property
    def sentence(self) -> str:
        """What can be said of it, in a few words."""
        notes = len(self.music)
        heard = "no note" if not notes else f"{notes} notes in {self.music.duration:.0f} s"
        faults = "nothing left out" if not self.left_out else f"{self.left_out} faults left out"
        return f"{heard}, {faults}"


def attempts(
    info: ModelInfo,
    *,
    start: str = "X",
    characters: int = 400,
    temperature: float = 0.7,
    rng_seed: int = 1,
) -> tuple[Attempt, ...]:
    """What every checkpoint of a model writes from the same first character, in order of epochs.

    Raises ModelUnavailable where the model has none or a file of one is missing, InvalidControl
    where a value is out of range.
    """
    epochs = checkpoints_of(info.training)
    if not epochs:
        raise ModelUnavailable(f"{info.title} has no checkpoints: choose another model.")
    generator = info.load()
    found = []
    for count in epochs:
        controls = info.controls(  # type: ignore[call-arg]
            seconds=LONGEST,
            rng_seed=rng_seed,
            start=start,
            characters=characters,
            temperature=temperature,
            checkpoint=count,
        )
        steps = list(generator.generate(NoteSequence(), controls))
        text = "".join(step.text for step in steps)
        lines = text.split("\n")
        written = "\n".join(line for line in lines if not line.startswith("% left out"))
        left_out = sum(
            int(more[1]) if (more := _MORE.match(line)) else line.startswith("% left out")
            for line in lines
        )
        found.append(Attempt(count, written.strip("\n"), collect(steps), left_out))
    return tuple(found)
