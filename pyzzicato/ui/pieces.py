"""What lies on the stage: where a piece starts, and what one press of Compose made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from pyzzicato.composition.job import Job
from pyzzicato.composition.order import style_of
from pyzzicato.generation.infill import Gap, asked_gap, parted
from pyzzicato.generation.instrument_lock import asked_keep
from pyzzicato.music.composers import find_composer
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.seeds.library import find_seed
from pyzzicato.ui import links

__all__ = ["Other", "Piece", "Scene", "Start", "library_start", "nothing_start"]


class Other(NamedTuple):
    """Music beside what a piece starts from: its style is mixed in, or the piece leads to it."""

    name: str
    music: NoteSequence
    said: tuple[str, ...] = ()
    """What was mended in its file, and what was left out."""


@dataclass(frozen=True, slots=True)
class Start:
    """Music that a piece starts from: `id` as in a link, `title` as one would say it."""

    id: str
    title: str
    music: NoteSequence
    composer: str = ""
    """The composer's id, for a built-in seed."""
    borders: tuple[float, ...] = ()
    """Seconds at which each continuation in it begins, where it is a piece to go on from."""
    begins: float = 0.0
    """Seconds of the person's own file at which it begins."""

    @property
    def rounds(self) -> int:
        """How often it was continued already."""
        return len(self.borders)

    def words(self, style: str = "") -> str:
        """How a title names it; with its composer, unless that is the one with the id `style`."""
        by = "" if self.composer in ("", style) else f"{find_composer(self.composer).short}'s "
        again = {0: "", 1: " (continued)"}.get(self.rounds, f" (continued {self.rounds} times)")
        return f"{by}{self.title}{again}"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one press of Compose made, with the settings it was made with."""

    number: int
    start: Start
    info: ModelInfo
    controls: Any
    takes: int
    job: Job
    texts: dict[str, str]
    """The link that makes it again."""
    read: str = ""
    """What was read of the seed, where that is not all of it."""
    mixed: tuple[Other, ...] = ()
    """The person's own music whose style is mixed in."""
    morph: bool = False
    """Whether it is a way from one piece to another, as the title of its start says."""

    @property
    def composer(self) -> str:
        """The id of the composer in whose style it is; "" for a model without composers."""
        return str(getattr(self.controls, "composer", ""))

    @property
    def style(self) -> str:
        """In whose style it is, in words; "" for a model without composers."""
        return style_of(asdict(self.controls))

    @property
    def gap(self) -> Gap | None:
        """The stretch of the start that is written anew; None where it is written on."""
        return asked_gap(self.controls)

    @property
    def kept(self) -> tuple[str, ...]:
        """The instruments of the start that are kept, where the others were made anew."""
        return tuple(self.controls.keep.split("+")) if asked_keep(self.controls) else ()

    @property
    def border(self) -> float:
        """Seconds at which the new music begins."""
        if self.kept:
            return 0.0  # it takes the place of what was there
        return self.gap.start if self.gap else self.start.music.duration

    @property
    def seconds(self) -> float:
        """How much new music was asked for."""
        return self.gap.seconds if self.gap else float(self.controls.seconds)

    def parts(self, take: NoteSequence) -> tuple[NoteSequence, NoteSequence]:
        """What was there and stays, and the new notes of a take, their times from `border` on.

        Where instruments were kept they are in the take.
        """
        if self.kept:
            return NoteSequence(qpm=self.start.music.qpm), take
        return parted(self.start.music, take, *self.gap) if self.gap else (self.start.music, take)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is on the stage at a time, with the settings that it was put there with: for undo."""

    start: Start
    piece: Piece | None
    take: int
    settings: Mapping[str, Any]


def library_start(seed_id: str) -> Start:
    """A built-in seed to start from; raises UnknownName."""
    seed = find_seed(seed_id)
    return Start(seed.id, seed.name, seed.sequence(), seed.composer.id)


def nothing_start() -> Start:
    """No seed at all."""
    return Start(links.NOTHING, "", NoteSequence())
