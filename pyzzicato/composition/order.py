"""Composing in one call, for scripts and for the command line.

piece = pyzzicato.compose(composer="chopin", seconds=60)
piece.save("out.mid")
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from pyzzicato.composition.copy_guard import avoid_copying
from pyzzicato.errors import InvalidControl, ModelUnavailable
from pyzzicato.generation.controls import Control, Controls, declared, from_texts
from pyzzicato.generation.generator import Generator, Step, collect_takes
from pyzzicato.generation.infill import asked_gap, parted
from pyzzicato.generation.instrument_lock import KEEP_NOTHING, asked_keep, plays_band
from pyzzicato.music.composers import find_composer
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo, model_info, models, models_folder
from pyzzicato.render.files import save
from pyzzicato.seeds.sources import (
    NOTHING,
    SeedLike,
    SeedMusic,
    StyleSources,
    built_in,
    seed_music,
    style_sources,
)

__all__ = [
    "MOST_TAKES",
    "STYLE",
    "Composition",
    "Order",
    "compose",
    "order",
    "style_of",
]

MOST_TAKES = 10
STYLE = "style"
"""The control that says one of a model's own styles."""

StyleLike = str | Path | NoteSequence


@dataclass(frozen=True)
class Composition:
    """A seed and what a model wrote after it.

    `continuation` has its own times, from 0: it begins at `border` seconds of the whole. Where a
    stretch was filled in, `seed` is what stays of the piece and `continuation` the new notes in
    its midst. `settings` is what made it: model, seed, take, takes and every control.
    """

    seed: NoteSequence
    continuation: NoteSequence
    border: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    """The text of it, in ABC, where the model is one that writes text."""
    said: tuple[str, ...] = field(default=(), compare=False)
    """What was mended in the files that were given, and what was left out or not read of them."""

    @property
    def sequence(self) -> NoteSequence:
        """The whole music: the seed, then the continuation."""
        return self.seed.followed_by(self.continuation, self.border)

    @property
    def title(self) -> str:
        """For example "Chopin, after Prelude in E minor"; empty without settings.

        Of a model without composers "After Chopin's Prelude in E minor", or "From nothing".
        """
        settings = self.settings
        style, seed = style_of(settings), settings.get("seed", NOTHING)
        known = built_in(seed)
        place = "inside" if settings.get("fill_to") else "after"
        if settings.get("keep", KEEP_NOTHING) != KEEP_NOTHING:
            place = "around"
        if style:
            after = "" if seed == NOTHING else f", {place} {known.title if known else seed}"
            return style + after
        if seed == NOTHING:
            return "From nothing" if settings else ""
        named = f"{known.composer.short}'s {known.title}" if known else seed
        return f"{place.capitalize()} {named}"

    def save(self, path: str | Path) -> Path:
        """Saves the music by the ending of `path` (see `pyzzicato.render.files`) and returns it.

        .mid, .wav, .mp3, .flac, .ogg, .png or .svg; .abc where there is a text. Raises
        UnknownName on another ending, SavingFailed where the file cannot be written or there is
        no text: then nothing is left half-written.
        """
        return save(
            Path(path),
            self.seed,
            self.continuation,
            border=self.border,
            title=self.title,
            text=self.text,
        )


@dataclass(frozen=True)
class Order:
    """What is to be composed, checked: only the model's own files can still be wrong."""

    info: ModelInfo
    seed: NoteSequence
    seed_name: str
    controls: Controls
    takes: int
    avoid_copying: bool = False
    styles: StyleSources = field(default_factory=StyleSources)
    """What is mixed in beside the style of the controls, where the model mixes styles."""
    seed_said: tuple[str, ...] = ()
    """What is to be said of the seed, whatever the model."""
    load: Callable[[ModelInfo], Generator] = ModelInfo.load
    """How the model is loaded: one that is in use already may be taken."""

    @cached_property
    def generator(self) -> Any:
        """The model, which mixes the styles; raises ModelUnavailable where it cannot be loaded."""
        generator: Any = self.load(self.info)
        return generator.mixing(self.styles.beside) if self.styles.beside else generator

    @property
    def said(self) -> tuple[str, ...]:
        """Sentences for the person on their own music that was given; loads the model."""
        own = self.seed and built_in(self.seed_name) is None and not asked_gap(self.controls)
        read = self.generator.reads(self.seed) if own else ""
        return (*self.seed_said, *([read] if read else []), *self.styles.said)

    def steps(self) -> Iterator[Step]:
        """Composes; raises ModelUnavailable where the model cannot be loaded."""
        if self.avoid_copying:
            return avoid_copying(self.generator, self.seed, self.controls, self.takes)
        steps: Iterator[Step] = self.generator.generate(self.seed, self.controls, self.takes)
        return steps

    @property
    def seconds(self) -> float:
        """How much new music there will be."""
        gap = asked_gap(self.controls)
        return gap.seconds if gap else self.controls.seconds

    def compositions(
        self, takes: Sequence[Iterable[Note]], texts: Sequence[str] = ()
    ) -> list[Composition]:
        """The compositions with these notes, and these texts if there are any, of each take."""
        settings = {
            "model": self.info.id,
            "seed": self.seed_name,
            "takes": self.takes,
            "avoid_copying": self.avoid_copying,
            **dataclasses.asdict(self.controls),
            **({"styles": list(self.styles.names)} if self.styles.beside else {}),
        }
        gap, said, made = asked_gap(self.controls), self.said, []
        for number, notes in enumerate(takes):
            seed, border = self.seed, self.seed.duration
            new = NoteSequence(tuple(notes), qpm=seed.qpm)
            if asked_keep(self.controls):  # it takes the seed's place, and has what is kept of it
                seed, border = NoteSequence(qpm=seed.qpm), 0.0
            elif gap:
                (seed, new), border = parted(seed, new, *gap), gap.start
            text = texts[number] if texts else ""
            made.append(Composition(seed, new, border, {**settings, "take": number}, text, said))
        return made


@overload
def compose(
    composer: str | None = None,
    seed: SeedLike = None,
    *,
    seconds: float = 60.0,
    model: str | None = None,
    rng_seed: int = 1,
    takes: None = None,
    avoid_copying: bool = False,
    styles: StyleLike | Sequence[StyleLike] = (),
    **controls: Any,
) -> Composition: ...


@overload
def compose(
    composer: str | None = None,
    seed: SeedLike = None,
    *,
    seconds: float = 60.0,
    model: str | None = None,
    rng_seed: int = 1,
    takes: int,
    avoid_copying: bool = False,
    styles: StyleLike | Sequence[StyleLike] = (),
    **controls: Any,
) -> list[Composition]: ...


def compose(
    composer: str | None = None,
    seed: SeedLike = None,
    *,
    seconds: float = 60.0,
    model: str | None = None,
    rng_seed: int = 1,
    takes: int | None = None,
    avoid_copying: bool = False,
    styles: StyleLike | Sequence[StyleLike] = (),
    **controls: Any,
) -> Composition | list[Composition]:
    """New music in a composer's style; a list of it where a number of `takes` is given.

    `composer` is an id or a name; without one it is the seed's. `seed` is the id of a built-in
    seed, a MIDI or ABC file ("tunes.abc#3" is its third tune), a NoteSequence, "none" to start from
    nothing; without one it is the composer's first, or Chopin's for a model without composers.
    `model` is an id, else the first that there is; `controls` are its own (`pyzzicato models` names
    both). `takes` is 1 to 10. With `avoid_copying` a take goes back and on with other dice where it
    comes close to its training music (see `copy_guard`). `styles`, for a model that mixes
    them, are styles of its own, built-in seeds, files or NoteSequences, at most 8: before every two
    bars the lot falls on one of them, and `alpha` is its share. The same arguments give the same
    music. Silence before the first note of a seed is left out, unless a stretch of it is filled in.
    Raises a PyzzicatoError that says which argument to change.
    """
    plan = order(
        model=model,
        composer=composer,
        seed=seed,
        takes=1 if takes is None else takes,
        avoid_copying=avoid_copying,
        styles=styles,
        controls={"seconds": seconds, "rng_seed": rng_seed, **controls},
    )
    texts = [""] * plan.takes
    made = plan.compositions(collect_takes(_read_along(plan.steps(), texts), plan.takes), texts)
    return made[0] if takes is None else made


def _read_along(steps: Iterator[Step], texts: list[str]) -> Iterator[Step]:
    """The same steps; the text of each take is added to `texts` as it comes."""
    for step in steps:
        texts[step.take] += step.text
        yield step


def style_of(settings: Mapping[str, Any]) -> str:
    """In whose style settings are: "Chopin", "Chopin with Bach"; "" without a composer."""
    composer = settings.get("composer", "")
    composer_2, mix = settings.get("composer_2", ""), settings.get("mix", 0.5)
    if not composer_2 or composer_2 == composer or mix <= 0:
        return find_composer(composer).short if composer else ""
    if mix >= 1:
        return find_composer(composer_2).short
    return f"{find_composer(composer).short} with {find_composer(composer_2).short}"


def order(
    *,
    model: str | ModelInfo | None = None,
    composer: str | None = None,
    seed: SeedLike = None,
    takes: int = 1,
    avoid_copying: bool = False,
    styles: StyleLike | Sequence[StyleLike] = (),
    controls: Mapping[str, Any] | None = None,
    load: Callable[[ModelInfo], Generator] = ModelInfo.load,
) -> Order:
    """An order from what a person gives; see `compose`. Raises a PyzzicatoError."""
    if not 1 <= takes <= MOST_TAKES:
        raise InvalidControl(f"There cannot be {takes} takes: choose 1 to {MOST_TAKES}.")
    info = model if isinstance(model, ModelInfo) else _known_model(model)
    wanted = dict(controls or {})
    known = {item.name: item for item in declared(info.controls)}
    if composer is not None:
        wanted["composer"] = composer
    asked = "composer" in wanted
    _check_what_it_has(info, asked, seed)
    if avoid_copying and not info.reads_seed:
        raise InvalidControl(
            f"The model {info.title} begins by itself and cannot go back to avoid copying: leave "
            "that out, or choose another model."
        )
    for name in ("composer", "composer_2"):
        if wanted.get(name):
            wanted[name] = find_composer(str(wanted[name])).id
    mixed = _mixed(info, styles, wanted, known)
    wanted = _with_what_it_needs(wanted, known)
    style = wanted.get("composer", known["composer"].default if "composer" in known else "")
    band = plays_band(info.controls)
    checked = from_texts(info.controls, wanted)
    whole = asked_gap(checked) is not None
    found = seed_music(seed if info.reads_seed else NOTHING, style, band, whole)
    if not asked and "composer" in known and found.composer in info.composers:
        checked = checked.changed(composer=found.composer)
    ordered = (info, found.music, found.name, checked, takes, avoid_copying, mixed, found.said)
    return Order(*ordered, load)


def _check_what_it_has(info: ModelInfo, composer: bool, seed: SeedLike) -> None:
    """Raises InvalidControl where a composer or a seed is given to a model without."""
    if composer and not info.composers:
        raise InvalidControl(
            f"The model {info.title} knows no composers: leave the composer out, or choose "
            "another model."
        )
    music = seed.music if isinstance(seed, SeedMusic) else seed
    if not info.reads_seed and music not in (None, NOTHING, NoteSequence()):
        raise InvalidControl(
            f"The model {info.title} begins by itself and reads no seed: leave the seed out."
        )


def _mixed(
    info: ModelInfo,
    styles: StyleLike | Sequence[StyleLike],
    wanted: dict[str, Any],
    known: Mapping[str, Control],
) -> StyleSources:
    """The styles that are asked for; the one that a control can say is put into `wanted`."""
    if not styles:
        return StyleSources()
    if not info.can("mixing"):
        raise InvalidControl(
            f"The model {info.title} mixes no styles: leave them out, or choose another model."
        )
    if isinstance(styles, str | Path | NoteSequence):
        styles = (styles,)
    given = wanted.get(STYLE, NOTHING)
    found = style_sources((given, *styles), known[STYLE])
    wanted[STYLE] = found.chosen
    return found


def _with_what_it_needs(wanted: dict[str, Any], known: Mapping[str, Control]) -> dict[str, Any]:
    """`wanted` and what it needs to have an effect: a threshold means keys="threshold"."""
    needed = {}
    for name in wanted:
        condition = known[name].only_when if name in known else None
        if condition and known[condition[0]].default not in condition[1]:
            needed[condition[0]] = condition[1][0]
    return {**needed, **wanted}


def _known_model(model: str | None) -> ModelInfo:
    """The model of that id, or the first that there is."""
    if model:
        return model_info(model)
    found = next(iter(models().values()), None)
    if found is None:
        raise ModelUnavailable(
            f"There is no model in {models_folder()}: fetch the project's files again."
        )
    return found
