"""Playing the GAN: two bars after two bars, each from what came before and a new noise.

Beside it there is the network as it was published, and as it collapsed: it knows of nothing
before it, each two bars are by themselves and nearly the same whatever the noise, and kept
instruments are laid over what it plays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato.band_controls import BandControls
from pyzzicato.band_planes import home_shift, planes, shifted
from pyzzicato.band_player import BandGenerator, Plan
from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.controls import control
from pyzzicato.gan_network import NOISE
from pyzzicato.gan_windows import cells_of, codes_of, cond_of, roll_codes
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime import BlockGraph
from pyzzicato.sampling import Dice

__all__ = ["GanBand", "GanControls"]

OURS, PUBLISHED = "ours", "published"


@dataclass(frozen=True, kw_only=True)
class GanControls(BandControls):
    """What a listener turns on the GAN."""

    wildness: float = control(
        1.0,
        label="Wildness",
        help="How far the noise that the music is made of lies from the middle.",
        minimum=0.2,
        maximum=2.0,
        step=0.05,
        main=True,
    )
    form: str = control(
        OURS,
        label="Trained",
        help=(
            "Our way, and it goes on from the seed; or as published, and it plays nearly the same "
            "two bars again and again, whatever the seed: the collapse that its authors report."
        ),
        choices=(OURS, PUBLISHED),
    )


class GanBand(BandGenerator):
    """A trained generator, ready to play; made from its `ModelInfo`."""

    Controls = GanControls

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.graph = BlockGraph(info.weights)
        self.published = BlockGraph(info.folder / "published.onnx")

    def blocks(self, plan: Plan, controls: Any, takes: int) -> Iterator[np.ndarray]:
        """See `BandGenerator.blocks`. The music is moved to C major or A minor, and back."""
        batch = max(takes, 2)
        dice = Dice(controls.rng_seed, batch, 2 * NOISE)
        shift = home_shift(np.concatenate([plan.before, plan.kept_codes]))
        window = np.repeat(shifted(plan.window, shift)[None], batch, axis=0)
        for first in range(0, plan.steps, WINDOW):
            noise = (controls.wildness * _normal(dice.roll())).astype(np.float32)
            if controls.form == PUBLISHED:
                window = roll_codes(self.published.run(noise=noise)["output"])
            else:
                window = self._after(window, noise, plan, first, shift)
            yield shifted(window, -shift)

    def _after(
        self, window: np.ndarray, noise: np.ndarray, plan: Plan, first: int, shift: int
    ) -> np.ndarray:
        """The window after `window`, (takes, 32, 5, 128), around what is given of it."""
        given, lock = plan.given(first, WINDOW)
        kept = np.repeat(planes(shifted(given, shift))[None], len(window), axis=0)
        cond = cond_of(planes(window).astype(np.float32), kept, lock[None])
        logits = self.graph.run(noise=noise, cond=cond)["output"]
        codes = codes_of(cells_of(logits, cond), window[:, -1])
        # As they are given: notes outside what the network sees would be lost for the next two.
        return np.where(lock[None, :, :, None], shifted(given, shift)[None], codes)


def _normal(draws: np.ndarray) -> np.ndarray:
    """Normal numbers from twice as many uniform ones (Box and Muller, 1958)."""
    one, other = np.split(draws.astype(np.float64), 2, axis=-1)
    length = np.sqrt(-2 * np.log(1 - one))
    numbers: np.ndarray = length * np.cos(2 * np.pi * other)
    return numbers
