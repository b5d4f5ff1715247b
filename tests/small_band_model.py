"""A family that plays in a band, for tests: its music is drawn by lot, nothing is trained.

`add_band_model` makes a model of it and the family known in this process. The browser tests
serve the app in a process that does so before it starts (`tests/ui/apps/serve_band.py`).
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.families.band.controls import BandControls
from pyzzicato.families.band.decode import BandGenerator, Plan
from pyzzicato.generation.controls import control
from pyzzicato.music.instruments import INSTRUMENTS
from pyzzicato.registry import ModelInfo

FAMILY, FAST_FAMILY = "small_band", "fast_band"
KEYS = ((36, 38, 42, 46), (60, 64, 67, 72), (52, 55, 59, 64), (33, 36, 40, 43), (67, 69, 72, 76))
RECIPE = f"""
title = "Five"
family = "{FAMILY}"
year = 2018
source = "made for a test"
summary = "Five is for tests."

[config]

[training]

[card]
order = 60
"""


@dataclass(frozen=True, kw_only=True)
class FiveControls(BandControls):
    """What every band has, and a wildness."""

    temperature: float = control(
        1.0, label="Wildness", help="How wild.", minimum=0.1, maximum=3.0, step=0.1, main=True
    )


class Five(BandGenerator):
    """Every instrument strikes a key of its own on every eighth note, or none."""

    Controls = FiveControls

    def __init__(self, info: ModelInfo) -> None:
        self.info = info

    def blocks(self, plan: Plan, controls: Any, takes: int) -> Iterator[np.ndarray]:
        for number in count():
            codes = np.zeros((takes, WINDOW, len(INSTRUMENTS), 128), np.uint8)
            for take in range(takes):
                dice = np.random.default_rng([controls.rng_seed, take, number])
                for step in range(0, WINDOW, 2):
                    for place, keys in enumerate(KEYS):
                        if dice.random() < 0.7:
                            codes[take, step, place, keys[int(dice.integers(4))]] = 2
            yield codes


@dataclass(frozen=True, kw_only=True)
class FastControls(FiveControls):
    """With a tempo of its own."""

    qpm: float = control(150.0, label="Tempo", help="How fast.", minimum=0, maximum=240, step=1)


class Fast(Five):
    """The same, faster."""

    Controls = FastControls


def know_family() -> None:
    """Puts both families where the registry looks for them."""
    for name, maker in ((FAMILY, Five), (FAST_FAMILY, Fast)):
        module = ModuleType(f"pyzzicato.families.{name}")
        module.FAMILY = SimpleNamespace(generator=maker)  # type: ignore[attr-defined]
        sys.modules[module.__name__] = module


def add_band_model(folder: Path) -> None:
    """A model of the family in `folder`/five."""
    know_family()
    (folder / "five").mkdir(parents=True)
    (folder / "five" / "model.toml").write_text(RECIPE, encoding="utf-8")
    (folder / "five" / "model.onnx").write_bytes(b"not looked at")
