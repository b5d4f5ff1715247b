"""Playing a MelodyCNN and four HarmonyCNNs: the piano's two bars first, the others to them.

Differs from the source (Skourogiannis and Pallikaris) in: how many notes are struck is what the
networks expect, not a threshold; a network with noise gets other numbers in every two bars; where
instruments are kept but not the piano, eight pianos are tried, and the one taken to which what is
kept is the likeliest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.families.band.blocks import WAYS, begun, normals
from pyzzicato.families.band.controls import BandControls
from pyzzicato.families.band.decode import BandGenerator, Plan
from pyzzicato.families.band.planes import DRAWS, WIDTH, draw_window, planes, shifted, window_nats
from pyzzicato.generation.controls import control
from pyzzicato.generation.sampling import Dice
from pyzzicato.music.instruments import INSTRUMENTS
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import BlockGraph

__all__ = ["CnnControls", "CnnGenerator"]

PIANO = INSTRUMENTS.index("Piano")


@dataclass(frozen=True, kw_only=True)
class CnnControls(BandControls):
    """What a listener turns on this family."""

    variety: float = control(
        0.8,
        label="Wildness",
        help="How much chance there is in every two bars; 0 has one way on, as published.",
        minimum=0.0,
        maximum=2.0,
        step=0.1,
        main=True,
    )


class CnnGenerator(BandGenerator):
    """The five networks, ready to play."""

    Controls = CnnControls

    def __init__(self, info: ModelInfo) -> None:
        self.graph = BlockGraph(info.weights)
        self.size = int(info.config["noise"])

    def blocks(self, plan: Plan, controls: Any, takes: int) -> Iterator[np.ndarray]:
        """See `BandGenerator.blocks`."""
        takes = max(takes, 2)
        width = 2 * WAYS * 5 * self.size
        dice = Dice(controls.rng_seed, takes, width + DRAWS)
        cut, shift, window = begun(plan)
        codes = np.repeat(window[None], takes, axis=0)
        first_before = np.zeros((takes, 5, 128), np.uint8)
        for first in range(-cut, plan.steps, WINDOW):
            draws = dice.roll()
            noise = normals(draws[:, :width], (takes, WAYS, 5, self.size)) * controls.variety
            given, locked = plan.given(max(first, 0), WINDOW)
            before = codes[:, -1] if first > -cut else first_before
            codes = self.next_window(
                codes, before, noise, draws[:, width:], shifted(given, shift), locked.any(axis=0)
            )
            yield shifted(codes, -shift)[:, cut if first < 0 else 0 :]

    def next_window(
        self,
        codes: np.ndarray,
        before: np.ndarray,
        noise: np.ndarray,
        draws: np.ndarray,
        given: np.ndarray,
        kept: Any,
    ) -> np.ndarray:
        """The two bars after `codes`, (takes, 32, 5, 128) both, in the home key.

        `before` (takes, 5, 128) is what may go on sounding; `noise` (takes, 8, 5, size) and
        `draws` (takes, 5) are what is left to chance; `kept` (5,) instruments are `given`
        (32, 5, 128).
        """
        takes, ways = len(codes), WAYS if kept.any() and not kept[PIANO] and self.size else 1
        previous = np.repeat(planes(codes).astype(np.float32), ways, axis=0)
        flat = noise[:, :ways].reshape(takes * ways, 5, self.size)
        held, chance = (np.repeat(x, ways, axis=0) for x in (before, draws))
        given = np.repeat(given[None], takes * ways, axis=0)
        made = draw_window(self._run(previous, np.zeros_like(previous), flat), held, chance)
        made[:, :, kept] = given[:, :, kept]
        logits = self._run(previous, planes(made).astype(np.float32), flat)
        played = draw_window(logits, held, chance)
        played[:, :, PIANO] = made[:, :, PIANO]
        played[:, :, kept] = given[:, :, kept]
        if ways > 1:
            rows = planes(np.concatenate([held[:, None], given], axis=1))
            nats = window_nats(rows, logits)[:, kept].sum(axis=1).reshape(takes, ways)
            played = played[np.arange(takes) * ways + nats.argmin(axis=1)]
        return played

    def _run(self, previous: np.ndarray, piano: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Logits (n, 32, 733)."""
        inputs = {"previous": previous, "piano": piano}
        if self.size:
            nothing = np.zeros((len(previous), WINDOW, WIDTH), np.float32)
            teach = np.zeros((len(previous), 1), np.float32)
            inputs |= {"noise": noise, "after": nothing, "teach": teach}
        return self.graph.run(**inputs)["output"]
