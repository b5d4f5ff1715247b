"""Playing a network that leads latents from two bars to the next two, with styles mixed in.

Source: Skourogiannis and Pallikaris: the latents of the seed's last two bars begin; in every
step latents of a style are drawn by lot, z' = alpha s + (1 - alpha) z, the networks lead z' on,
noise is added, and the result is decoded.

Differs from the source in: music is read and written in one key and moved back (see
`band.vae.family`); a seed in which only one instrument plays is arranged for five,
the others beginning with the style point nearest to it; an empty one begins with any; where
instruments are kept but not the piano, eight ways on are tried for the piano, and the one taken
that says most of what is kept; how many notes are struck is what the decoder expects.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pyzzicato.codecs.multitrack_roll import WINDOW, MultitrackRoll
from pyzzicato.families.band.blocks import WAYS, begun, normals
from pyzzicato.families.band.controls import BandControls
from pyzzicato.families.band.decode import BandGenerator, Plan, plan, play
from pyzzicato.families.band.pairs import home_windows
from pyzzicato.families.band.planes import DRAWS, WIDTH, draw_window, home_shift, planes, shifted
from pyzzicato.families.band.vae.styles import (
    STYLES_FILE,
    between,
    by_lot,
    load_library,
    unique_latents,
)
from pyzzicato.generation.controls import control
from pyzzicato.generation.generator import Generator, Step
from pyzzicato.generation.sampling import Dice
from pyzzicato.music.instruments import INSTRUMENTS
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import BlockGraph

__all__ = ["STYLES_FILE", "StyleControls", "StyleGenerator", "read_latents"]

NO_STYLE, SEED_STYLE = "none", "seed"
PIANO = INSTRUMENTS.index("Piano")
NEAREST = 6  # style points of which one begins the instruments that the seed does not have
LED, READ, AS_IT_IS = range(3)
STYLE_HELP = "What is mixed into every two bars: nothing, the seed itself, or a style of bands."


@dataclass(frozen=True, kw_only=True)
class StyleControls(BandControls):
    """What every model of this family has; the choices of `style` are made for each."""

    noise_sd: float = control(
        1.2,
        label="Wildness",
        help="How much chance there is in every two bars; 0 always goes the likeliest way.",
        minimum=0.0,
        maximum=1.5,
        step=0.05,
        main=True,
    )
    style: str = control(
        NO_STYLE,
        label="Style",
        help=STYLE_HELP,
    )
    alpha: float = control(
        0.5,
        label="Share of the style",
        help="0 leaves the music to itself, 1 follows the style alone.",
        minimum=0.0,
        maximum=1.0,
        step=0.05,
    )


@cache
def _controls(names: tuple[str, ...]) -> type[StyleControls]:
    named = (SEED_STYLE, *names)
    style = control(NO_STYLE, label="Style", help=STYLE_HELP, choices=(NO_STYLE, *named))
    alpha = dataclasses.field(
        default=0.5, metadata={**_metadata(StyleControls, "alpha"), "only_when": ("style", named)}
    )
    made: type[StyleControls] = dataclasses.make_dataclass(
        "StyleControls",
        [("style", str, style), ("alpha", float, alpha)],
        bases=(StyleControls,),
        frozen=True,
        kw_only=True,
    )
    return made


def _metadata(controls: type[StyleControls], name: str) -> Mapping[str, Any]:
    return next(f.metadata for f in dataclasses.fields(controls) if f.name == name)


def read_latents(graph: BlockGraph, codes: np.ndarray, size: int) -> np.ndarray:
    """The latents of windows (n, 32, 5, 128) that are in the home key, (n, 5, size)."""
    rolls = planes(codes).astype(np.float32)
    return _run(graph, np.zeros((len(rolls), 5, size), np.float32), READ, rolls)["next"]


def _run(
    graph: BlockGraph,
    latents: np.ndarray,
    how: int | np.ndarray,
    roll: np.ndarray | None = None,
    noise: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """One run; `how` is LED, READ or AS_IT_IS, for all or for each instrument (5,)."""
    batch = len(latents)
    choice = np.broadcast_to(np.eye(3, dtype=np.float32)[how], (batch, 5, 3))
    return graph.run(
        latents=np.ascontiguousarray(latents, np.float32),
        roll=np.zeros((batch, WINDOW, WIDTH), np.float32) if roll is None else roll,
        noise=np.zeros(latents.shape, np.float32) if noise is None else noise,
        choice=np.ascontiguousarray(choice),
    )


class StyleGenerator(BandGenerator):
    """The five VAEs and what leads them, ready to play."""

    Controls = StyleControls

    @classmethod
    def controls_for(cls, info: ModelInfo) -> type[StyleControls]:
        """The controls of a model: the styles that come with it."""
        return _controls(load_library(info.folder / STYLES_FILE).names)

    def __init__(self, info: ModelInfo) -> None:
        self.graph = BlockGraph(info.weights)
        self.library = load_library(info.folder / STYLES_FILE)
        self.size = int(info.config["latents"])

    def latents(self, music: NoteSequence | np.ndarray) -> np.ndarray:
        """The latents of a piece, cut into two bars each, in the home key: (n, 5, 16).

        `music` may be codes (steps, 5, 128). Windows in which nothing sounds are left out.
        """
        codes = MultitrackRoll().encode(music) if isinstance(music, NoteSequence) else music
        windows = home_windows(codes)
        if not len(windows):
            return np.zeros((0, 5, self.size), np.float32)
        return read_latents(self.graph, windows, self.size)

    def generate(
        self,
        seed: NoteSequence,
        controls: Any,
        takes: int = 1,
        styles: Sequence[NoteSequence | str] = (),
    ) -> Iterator[Step]:
        """See `Generator.generate`. `styles` are pieces or names of styles; where there are some
        they are mixed in instead of the style of the controls, each as often as the others."""
        made = plan(seed, controls)
        found = [self.library.style(s) if isinstance(s, str) else self.latents(s) for s in styles]
        sources = found or [self._style(made, controls)]
        return play(made, self._blocks(made, controls, takes, sources), takes)

    def mixing(self, pieces: Sequence[NoteSequence | str]) -> Generator:
        """The same generator with the style of `pieces`, or styles by name, mixed in beside that
        of the controls."""
        return _Mixing(self, tuple(pieces))

    def blocks(self, plan: Plan, controls: Any, takes: int) -> Iterator[np.ndarray]:
        """See `BandGenerator.blocks`."""
        return self._blocks(plan, controls, takes, [self._style(plan, controls)])

    def _style(self, plan: Plan, controls: Any) -> np.ndarray:
        if controls.style == SEED_STYLE:
            return self.latents(plan.before)
        if controls.style == NO_STYLE:
            return np.zeros((0, 5, self.size), np.float32)
        return self.library.style(controls.style)

    def _blocks(
        self, plan: Plan, controls: Any, takes: int, sources: Sequence[np.ndarray]
    ) -> Iterator[np.ndarray]:
        """Two bars at a time; the first ones begin at the last bar line or beat of the seed."""
        takes = max(takes, 2)
        width = 2 * WAYS * 5 * self.size
        dice = Dice(controls.rng_seed, takes, width + DRAWS + 1)
        sources = [unique_latents(latents) for latents in sources if len(latents)]
        cut, shift, window = begun(plan)
        latents = self._beginning(window, dice.roll()[:, 0])
        before = np.zeros((takes, 5, 128), np.uint8)
        for first in range(-cut, plan.steps, WINDOW):
            draws = dice.roll()
            if sources:
                drawn = by_lot(sources, draws[:, -1])
                latents = controls.alpha * drawn + (1 - controls.alpha) * latents
            noise = normals(draws[:, :width], (takes, WAYS, 5, self.size)) * controls.noise_sd
            given, locked = plan.given(max(first, 0), WINDOW)
            given, kept = shifted(given, shift), np.asarray(locked.any(axis=0))
            latents, logits = self._lead(latents, noise, given, kept)
            codes = draw_window(logits, before, draws[:, width : width + DRAWS])
            codes[:, :, kept] = given[:, kept]
            before = codes[:, -1]
            yield shifted(codes, -shift)[:, cut if first < 0 else 0 :]

    def _lead(
        self, latents: np.ndarray, noise: np.ndarray, given: np.ndarray, kept: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The next latents and logits; what is kept is read, the rest is led on."""
        takes = len(latents)
        how = np.where(kept, READ, LED)
        noise = noise * ~kept[:, None]
        roll = np.repeat(planes(given)[None].astype(np.float32), takes, axis=0)
        if not kept.any() or kept[PIANO]:
            found = _run(self.graph, latents, how, roll, noise[:, 0])
            return found["next"], found["output"]
        several = [np.repeat(x, WAYS, axis=0) for x in (latents, roll)]
        flat = noise.reshape(-1, *noise.shape[2:])
        found = _run(self.graph, several[0], how, several[1], flat)
        mean, log_sd, read, _ = np.moveaxis(found["told"][:, kept], 2, 0)
        apart = (read - mean) * np.exp(-log_sd)
        nats = (0.5 * apart * apart + log_sd).sum(axis=(1, 2)).reshape(takes, WAYS)
        best = np.arange(takes) * WAYS + nats.argmin(axis=1)
        return found["next"][best], found["output"][best]

    def _beginning(self, window: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """The latents of the two bars before the new music, (takes, 5, 16)."""
        read = read_latents(self.graph, np.stack([window, window]), self.size)[0]
        playing = np.asarray(window.any(axis=(0, 2)))
        latents = np.repeat(read[None], len(draws), axis=0)
        points = self.library.points()
        if playing.sum() > 1 or not len(points):
            return latents
        apart = ((points - read) ** 2 * playing[:, None]).sum(axis=(1, 2))
        near = np.argsort(apart, kind="stable")[: NEAREST if playing.any() else None]
        drawn = points[near[(draws * len(near)).astype(np.int64)]]
        return np.where(playing[None, :, None], latents, drawn)

    def morph(self, first: NoteSequence, second: NoteSequence, steps: int = 8) -> NoteSequence:
        """A way from one piece to another in `steps` times two bars, in the first one's key.

        Both go on meanwhile, the shorter one from its beginning again; the tempo is the first
        one's. A piece in which nothing plays counts as silence.
        """
        silence = read_latents(self.graph, np.zeros((2, WINDOW, 5, 128), np.uint8), self.size)[:1]
        ends = [
            found if len(found := self.latents(music)) else silence for music in (first, second)
        ]
        last = max(steps - 1, 1)
        mixed = [
            between(ends[0][step % len(ends[0])], ends[1][step % len(ends[1])], step / last)
            for step in range(steps)
        ]
        codes = self.decode(np.stack(mixed))
        home = home_shift(MultitrackRoll().encode(first))
        return MultitrackRoll().decode(shifted(codes, -home), first.qpm)

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """What latents (n, 5, 16) sound like, in the home key: codes (n x 32, 5, 128)."""
        logits = _run(self.graph, latents, AS_IT_IS)["output"]
        before, played = np.zeros((1, 5, 128), np.uint8), []
        for window in logits:
            codes = draw_window(window[None], before, np.full((1, DRAWS), 0.5, np.float32))
            before = codes[:, -1]
            played.append(codes[0])
        return np.concatenate(played)


class _Mixing(Generator):
    """A generator with pieces whose style is always mixed in."""

    def __init__(self, player: StyleGenerator, pieces: tuple[NoteSequence | str, ...]) -> None:
        self._player, self._pieces = player, pieces

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        named = {NO_STYLE: (), SEED_STYLE: (seed,)}.get(controls.style, (controls.style,))
        return self._player.generate(seed, controls, takes, (*named, *self._pieces))
