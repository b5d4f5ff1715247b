"""Two families that know no composers, for tests: one writes text, the other goes on from a seed.

Their music is drawn by lot at once; nothing is trained. `add_models` makes models of them.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pyzzicato.generation import controls
from pyzzicato.generation.controls import control
from pyzzicato.generation.generator import Generator, Step
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo

LETTERS = "CDEFGABc"
PITCHES = (60, 62, 64, 65, 67, 69, 71, 72)
BEAT = 0.5  # seconds
MELODY = "Only the highest line of this seed is read."
RECIPE = """
title = "{title}"
family = "{family}"
year = 2016
source = "made for a test"
summary = "{title} is for tests."

[config]

[training]

[card]
order = {order}
takes = {takes}
"""


@dataclass(frozen=True, kw_only=True)
class WildControls(controls.Controls):
    """Only what every family has, and a wildness."""

    temperature: float = control(
        1.0, label="Wildness", help="How wild.", minimum=0.1, maximum=3.0, step=0.1, main=True
    )


class Letters(Generator):
    """Writes the names of notes, and reads no seed."""

    Controls = WildControls
    reads_seed = False
    writes_text = True

    def __init__(self, info: ModelInfo) -> None:
        self.info = info

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        return self._write(0, controls, takes)

    def _write(self, first: int, controls: Any, takes: int) -> Iterator[Step]:
        dice = [np.random.default_rng([controls.rng_seed, take, first]) for take in range(takes)]
        for beat in range(int(controls.seconds / BEAT)):
            for take in range(takes):
                name = int(dice[take].integers(len(LETTERS)))
                text = LETTERS[name] + (" |\n" if beat % 8 == 7 else " ")
                note = Note(beat * BEAT, (beat + 1) * BEAT, PITCHES[name])
                yield Step((note,), (beat + 1) * BEAT, take, text if type(self).writes_text else "")


class Tunes(Letters):
    """Goes on from the last note of a seed, without words."""

    reads_seed = True
    writes_text = False

    def reads(self, seed: NoteSequence) -> str:
        """Says what it makes of a seed with more than one line."""
        return MELODY if len(seed) else ""

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        return self._write(1 + sum(note.pitch for note in seed), controls, takes)


def add_models(folder: Path, monkeypatch: pytest.MonkeyPatch, order: int = 50) -> None:
    """A model of each family in `folder`: "letters", and "tunes", which makes four takes."""
    makers: dict[str, tuple[type[Letters], int]] = {"letters": (Letters, 1), "tunes": (Tunes, 4)}
    for place, (name, (maker, takes)) in enumerate(makers.items()):
        module = ModuleType(f"pyzzicato.families.{name}")
        module.FAMILY = SimpleNamespace(generator=maker)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        (folder / name).mkdir(parents=True)
        recipe = RECIPE.format(title=name.title(), family=name, order=order + place, takes=takes)
        (folder / name / "model.toml").write_text(recipe, encoding="utf-8")
        (folder / name / "model.onnx").write_bytes(b"not looked at")
