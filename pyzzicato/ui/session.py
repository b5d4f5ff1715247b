"""One visitor's view: the settings, where the music starts, what is on the stage, and undo.

Streamlit forgets a widget that is not drawn, so the settings live here (see
`pyzzicato.ui.widgets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from pyzzicato.composition.job import Job
from pyzzicato.composition.order import order, style_of
from pyzzicato.errors import PyzzicatoError
from pyzzicato.generation.controls import Controls, declared
from pyzzicato.generation.generator import Step
from pyzzicato.generation.infill import Gap, asked_gap
from pyzzicato.music.composers import Composer, find_composer
from pyzzicato.music.instruments import is_band
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.seeds.library import seeds_by
from pyzzicato.seeds.sources import SeedMusic
from pyzzicato.ui import links, resources, visits
from pyzzicato.ui.band import fitted, plays_band
from pyzzicato.ui.pieces import Other, Piece, Scene, Start, library_start, nothing_start
from pyzzicato.ui.uploads import Upload

__all__ = [
    "View",
]

_UNDO = 20


@dataclass
class View:
    """Everything one visitor has before them; lives as long as the session."""

    models: dict[str, ModelInfo]
    settings: dict[str, Any]
    start: Start
    piece: Piece | None = None
    take: int = 0
    autoplay: bool = False
    asks_file: bool = False
    """Whether they want to start from a file of their own, and have not given one yet."""
    rejected: int = 0
    """How many files of theirs could not be used."""
    upload: Upload | None = None
    """The person's own file."""
    window: tuple[float, float] = (0.0, 20.0)
    """The seconds of that music which are used."""
    others: tuple[Other, ...] = ()
    """The person's own music whose style is to be mixed in."""
    goal: Other | None = None
    """The person's own music that a piece is to lead to."""
    problems: dict[str, str] = field(default_factory=dict)
    """Sentences by the place where they are shown: link, model, upload, styles, goal."""
    stretch: tuple[float, float] | None = None
    """The seconds of the piece on the stage that are marked to be written anew."""
    layered: bool = False
    """Whether all takes are shown at once."""
    warm: set[str] = field(default_factory=set)
    """The models that were loaded since this visitor came."""
    wanted_take: int = 0
    """Which take of the next piece is shown first, from 0, as a link asks for it."""
    pieces: int = 0
    shows_running: bool = False
    """Whether the page shows a piece that is being written. All of the page goes by it; once it
    is no longer so, the page is drawn anew."""
    staged: Mapping[str, Any] = field(default_factory=dict)
    """The settings with which the stage became what it is."""
    past: list[Scene] = field(default_factory=list)
    future: list[Scene] = field(default_factory=list)
    """What was undone, the last one last."""
    by_hand: bool = False
    """Whether the seed was chosen for itself, and stays with another composer."""
    kept: visits.Saved | None = None
    """What of this was kept last, for after a reload."""
    written: dict[str, str] = field(default_factory=dict)
    """The link that is to be in the address bar."""
    read: dict[str, str] = field(default_factory=dict)
    """The link that was followed last."""
    shown: dict[str, Any] = field(default_factory=dict)
    """What the widget of each setting was last told to show."""

    @property
    def info(self) -> ModelInfo:
        """The model that is chosen."""
        return self.models[self.settings["model"]]

    @property
    def composer(self) -> Composer | None:
        """The composer that is chosen; None where the model knows none."""
        return find_composer(self.settings["composer"]) if self.info.composers else None

    @property
    def style(self) -> str:
        """In whose style a piece would be now, in words; "" where the model knows no composers."""
        mine = [item.name for item in declared(self.info.controls)]
        return style_of({name: self.settings[name] for name in mine})

    @property
    def seed(self) -> Start:
        """What the model would start from, as it takes it: nothing, if it begins by itself."""
        start = self.start if self.info.reads_seed else nothing_start()
        return fitted(start, plays_band(self.info))

    @property
    def mixed(self) -> tuple[Other, ...]:
        """The person's own music whose style the model mixes in; none where it cannot."""
        return self.others if self.others and self.info.can("mixing") else ()

    @property
    def hears_band(self) -> bool:
        """Whether drums, guitar, bass and strings may be heard."""
        shown = self.piece is not None and is_band(self.piece.start.music)
        return shown or plays_band(self.info) or is_band(self.start.music)

    @property
    def running(self) -> bool:
        """Whether the piece on the stage is still being written."""
        return self.piece is not None and self.piece.job.running

    def controls(self) -> Controls:
        """The controls as they stand; raises InvalidControl."""
        kind = self.info.controls
        return kind(**{item.name: self.settings[item.name] for item in declared(kind)})

    @property
    def scene(self) -> Scene:
        """What is on the stage."""
        return Scene(self.start, self.piece, self.take, self.staged)

    def _remember(self) -> None:
        """Keeps what is on the stage, so that undo can bring it back."""
        self.past, self.future = [*self.past[1 - _UNDO :], self.scene], []

    def undo(self) -> None:
        """What was on the stage before, with its settings; stops what is being written."""
        self._step(self.past, self.future)

    def redo(self) -> None:
        """What was undone last, with its settings."""
        self._step(self.future, self.past)

    def _step(self, there: list[Scene], here: list[Scene]) -> None:
        self.halt()
        if there:
            here.append(self.scene)
            self.put(there.pop())

    def put(self, scene: Scene) -> None:
        """Makes the stage and the settings what they were."""
        self.start, self.piece, self.take = scene.start, scene.piece, scene.take
        self.staged = scene.settings
        self.settings.update(scene.settings)
        self.layered = self.autoplay = self.asks_file = False

    def halt(self) -> None:
        """Stops the piece that is being written, and keeps it."""
        if self.piece is not None:
            self.piece.job.stop()

    def begin_with(self, start: Start, *, by_hand: bool = False) -> None:
        """Puts `start` on the stage by itself; a piece that was there can be had by undo.

        `by_hand`: it was chosen for itself; one by the composer of now goes when they do.
        """
        self.by_hand = by_hand and start.composer != self.settings["composer"]
        self.halt()
        if self.piece is not None:
            self._remember()
        self.start, self.piece, self.take, self.autoplay = start, None, 0, False
        self.asks_file = False
        self._stage()

    def _stage(self) -> None:
        self.settings["seed"] = self.start.id
        self.staged = dict(self.settings)

    def choose_composer(self, composer: str) -> None:
        """Takes a composer, and an opening of theirs unless another seed was chosen by hand."""
        follows = bool(self.start.composer) and not self.by_hand
        self.settings["composer"] = composer
        if follows and seeds_by(composer):
            self.begin_with(library_start(seeds_by(composer)[0].id))

    def choose_model(self, model: str) -> None:
        """Takes another model; what stood as usual with the last one stands as usual with it.

        A value that the new model does not have becomes its usual one, too; so does what the last
        one did not know, where it is what another has as usual.
        """
        every = [links.usual_settings(info) for info in self.models.values()]
        usual = links.usual_settings(self.info)
        self.settings["model"] = model
        for name, value in links.usual_settings(self.info).items():
            mine = self.settings.get(name)
            known = [usual] if name in usual else every
            as_usual = any(name in each and mine == each[name] for each in known)
            if as_usual or not links.allowed(self.info, name, mine):
                self.settings[name] = value

    def compose(self) -> None:
        """Starts to write a piece with the settings as they stand."""
        self._write(self.seed)

    def go_on(self, start: Start) -> None:
        """Starts to write on from `start`, what is on the stage up to a place in it."""
        if self._write(fitted(start, plays_band(self.info))):
            self.start = start
            self._stage()

    def fill(self, start: Start, gap: Gap) -> None:
        """Starts to write the stretch `gap` of `start` anew, with the settings as they stand."""
        self._write(start, fill_from=gap.start, fill_to=gap.stop)

    def keep_some(self, start: Start, keep: str, seconds: float) -> None:
        """Starts to make the instruments of `start` anew that `keep` does not name."""
        self._write(start, keep=keep, seconds=seconds)

    def _write(self, start: Start, **more: Any) -> bool:
        """Starts to write, where the model can; `more` are controls beside the settings.

        Where the same has just been played to the end, the dice are rolled first: who presses
        again wants something new.
        """
        self.problems.clear()
        filled = Gap(more["fill_from"], more["fill_to"]) if "fill_from" in more else None
        if self._just_played(start, filled, self._link(start, more)):
            self.roll_dice()
        self.halt()
        try:
            plan = order(
                model=self.info,
                seed=SeedMusic(start.music, start.id, start.composer),
                takes=self.settings["takes"],
                avoid_copying=self.settings[links.AVOID.name] and self.info.reads_seed,
                styles=[each.music for each in self.mixed],
                controls=asdict(self.controls().changed(**more)),
                load=resources.generator,
            )
            player = plan.generator
        except PyzzicatoError as error:
            self.problems[f"model {self.info.id}"] = str(error)
            return False
        job = Job.of(plan).start()
        texts = self._link(start, more)
        read = player.reads(start.music) if start.music and not asked_gap(plan.controls) else ""
        number, info, mixed = self.pieces + 1, self.info, self.mixed
        self._show(Piece(number, start, info, plan.controls, plan.takes, job, texts, read, mixed))
        return True

    def morph(self, start: Start, goal: Other, windows: int) -> None:
        """Starts a way from `start` to `goal`, `windows` times two bars long."""
        self.problems.clear()
        self.halt()
        music = start.music
        bars = windows * 8 * 60 / music.qpm  # of four quarter notes, in seconds
        try:
            controls = self.controls().changed(seconds=min(max(bars, 5.0), 300.0))
            generator: Any = resources.generator(self.info)
        except PyzzicatoError as error:
            self.problems[f"model {self.info.id}"] = str(error)
            return
        way = Start(links.RESULT, f"{start.words()} into {goal.name}", NoteSequence(qpm=music.qpm))
        job = Job(
            lambda: iter([Step(generator.morph(music, goal.music, windows).notes, bars)]),
            seconds=bars,
            takes=1,
            qpm=music.qpm,
        ).start()
        texts, number = self._link(way, {}), self.pieces + 1
        self._show(Piece(number, way, self.info, controls, 1, job, texts, morph=True))

    def _show(self, piece: Piece) -> None:
        """Puts a piece that is being written on the stage; undo brings back what was there."""
        self._remember()
        self.piece, self.pieces = piece, piece.number
        self.take, self.wanted_take = min(self.wanted_take, piece.takes - 1), 0
        self.layered, self.autoplay = False, True
        self._stage()

    def _link(self, start: Start, more: Mapping[str, Any]) -> dict[str, str]:
        return links.as_texts({**self.settings, **more, "seed": start.id}, self.info)

    def _just_played(self, start: Start, gap: Gap | None, link: Mapping[str, str]) -> bool:
        """Whether what is on the stage was made just so."""
        shown = self.piece
        if shown is None or shown.gap != gap or shown.texts != link or shown.morph:
            return False
        if shown.mixed != self.mixed:
            return False
        return gap is not None or shown.start == start  # around a gap nothing has changed

    def roll_dice(self) -> None:
        """A new number for all chance, short enough to be told to a friend."""
        before = self.settings["rng_seed"]
        rolled = int(np.random.default_rng().integers(1, 9999))
        self.settings["rng_seed"] = rolled if rolled != before else 9999
