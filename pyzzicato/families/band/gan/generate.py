"""Playing the GAN: two bars after two bars, each from what came before and a new noise.

Beside it there is the network as it was published: it knows of nothing before it, each two bars
are by themselves and much alike whatever the noise, and kept instruments are laid over what it
plays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.families.band.controls import BandControls
from pyzzicato.families.band.decode import BandGenerator, Plan
from pyzzicato.families.band.gan.discriminator import BAR, MINE, NEVER, drawn
from pyzzicato.families.band.gan.network import NOISE
from pyzzicato.families.band.gan.windows import cond_of, roll_codes
from pyzzicato.families.band.planes import DRAWS, PARTS, home_shift, planes, shifted
from pyzzicato.generation.controls import control
from pyzzicato.generation.sampling import Dice, sigmoid
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import BlockGraph

__all__ = ["GanBand", "GanControls", "resting"]

OURS, PUBLISHED = "ours", "published"
BACK = 3.0  # strokes that are expected in a bar in which an instrument that rested begins again


@dataclass(frozen=True, kw_only=True)
class GanControls(BandControls):
    """What a listener turns on the GAN."""

    wildness: float = control(
        1.2,
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
            "Our way, and it goes on from the seed; or as published: it plays two bars after two "
            "bars that are much alike, whatever the seed, as its authors report."
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
        dice = Dice(controls.rng_seed, batch, 2 * NOISE + DRAWS)
        shift = home_shift(np.concatenate([plan.before, plan.kept_codes]))
        window = np.repeat(shifted(plan.window, shift)[None], batch, axis=0)
        for first in range(0, plan.steps, WINDOW):
            draws = dice.roll()
            noise = (controls.wildness * _normal(draws[:, DRAWS:])).astype(np.float32)
            if controls.form == PUBLISHED:
                window = roll_codes(self.published.run(noise=noise)["output"])
            else:
                around = plan.given(first, WINDOW)
                window = self._after(window, noise, draws[:, :DRAWS], around, shift)
            yield shifted(window, -shift)

    def _after(
        self,
        window: np.ndarray,
        noise: np.ndarray,
        draws: np.ndarray,
        around: tuple[np.ndarray, np.ndarray],
        shift: int,
    ) -> np.ndarray:
        """The window after `window`, (takes, 32, 5, 128), around what is given of it."""
        given, lock = around
        kept = np.repeat(planes(shifted(given, shift))[None], len(window), axis=0)
        cond = cond_of(planes(window).astype(np.float32), kept, lock[None])
        logits = self.graph.run(noise=noise, cond=cond)["output"]
        codes = drawn(resting(logits, window), window[:, -1], draws)
        # As they are given: notes outside what the network sees would be lost for the next two.
        return np.where(lock[None, :, :, None], shifted(given, shift)[None], codes)


def resting(logits: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Logits (takes, 32, 733) by which an instrument that was silent in all of `window` stays so
    in each bar of which it is not expected to play much.

    In training music an instrument that rested for two bars plays in one of forty bars that
    follow; without this rule the small chances of many keys add up to a stray note or two. After
    silence of all, any may begin.
    """
    logits = logits.copy()
    plays = np.asarray(np.any(window, axis=(1, 3)))  # (takes, 5)
    silent = ~plays & np.asarray(np.any(plays, axis=1, keepdims=True))
    for part, ((first, _), (low, end)) in enumerate(zip(PARTS, MINE, strict=True)):
        mine = logits[..., first : first + end - low]
        bars = sigmoid(mine).reshape(len(mine), WINDOW // BAR, -1).sum(axis=2)
        stays = (bars < BACK) & silent[:, part, None]
        mine[np.repeat(stays, BAR, axis=1)] = NEVER
    return logits


def _normal(draws: np.ndarray) -> np.ndarray:
    """Normal numbers from twice as many uniform ones (Box and Muller, 1958)."""
    one, other = np.split(draws.astype(np.float64), 2, axis=-1)
    length = np.sqrt(-2 * np.log(1 - one))
    numbers: np.ndarray = length * np.cos(2 * np.pi * other)
    return numbers
