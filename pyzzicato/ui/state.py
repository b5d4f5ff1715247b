"""One visitor's view: the settings, where the music starts, what is on the stage, and undo.

Streamlit forgets a widget that is not drawn, so the settings live here: `draw_value` makes a
widget show its setting, and `gather` takes over what was changed by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np
import streamlit as st

from pyzzicato.avoiding import avoid_copying
from pyzzicato.band_parts import is_band
from pyzzicato.composers import Composer, find_composer
from pyzzicato.composition import style_of
from pyzzicato.controls import Controls, declared
from pyzzicato.errors import InvalidControl, PyzzicatoError
from pyzzicato.filling import Gap, asked_gap
from pyzzicato.generator import Step
from pyzzicato.notes import NoteSequence
from pyzzicato.registry import ModelInfo, models
from pyzzicato.seeds import all_seeds, seeds_by
from pyzzicato.ui import links, resources, shell
from pyzzicato.ui.band import fitted, plays_band
from pyzzicato.ui.jobs import Job
from pyzzicato.ui.pieces import Other, Piece, Start, library_start, nothing_start
from pyzzicato.ui.uploads import Upload

__all__ = [
    "View",
    "draw_value",
    "gather",
    "open_view",
    "toggle",
    "write_link",
]

FAVOURITE = ("chopin", "chopin-nocturne-op-9-no-2")
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
    shown_running: int = 0
    """The number of the piece that was last shown growing; 0 for none."""
    past: list[tuple[Start, Piece | None, int]] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)

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

    def remember(self) -> None:
        """Keeps what is on the stage, so that undo can bring it back."""
        self.past = [*self.past[1 - _UNDO :], (self.start, self.piece, self.take)]

    def undo(self) -> None:
        """What was on the stage before; stops what is being written."""
        self.halt()
        if self.past:
            self.start, self.piece, self.take = self.past.pop()
            self.settings["seed"] = self.start.id
            self.layered = self.autoplay = False

    def halt(self) -> None:
        """Stops the piece that is being written, and keeps it."""
        if self.piece is not None:
            self.piece.job.stop()

    def begin_with(self, start: Start) -> None:
        """Puts `start` on the stage by itself; a piece that was there can be had by undo."""
        self.halt()
        if self.piece is not None:
            self.remember()
        self.start, self.piece, self.take, self.autoplay = start, None, 0, False
        self.settings["seed"] = start.id
        self.asks_file = False

    def choose_composer(self, composer: str) -> None:
        """Takes a composer, and an opening of theirs where the last composer's was chosen."""
        own = self.start.composer == self.settings["composer"]
        self.settings["composer"] = composer
        if own and seeds_by(composer):
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
            if as_usual or not _allowed(self.info, name, mine):
                self.settings[name] = value

    def compose(self) -> None:
        """Starts to write a piece with the settings as they stand."""
        self._write(self.seed)

    def fill(self, start: Start, gap: Gap) -> None:
        """Starts to write the stretch `gap` of `start` anew, with the settings as they stand."""
        self._write(start, fill_from=gap.start, fill_to=gap.stop)

    def keep_some(self, start: Start, keep: str, seconds: float) -> None:
        """Starts to make the instruments of `start` anew that `keep` does not name."""
        self._write(start, keep=keep, seconds=seconds)

    def _write(self, start: Start, **more: Any) -> None:
        """Starts to write; `more` are controls beside the settings.

        Where the same has just been played to the end, the dice are rolled first: who presses
        again wants something new.
        """
        self.problems.clear()
        filled = Gap(more["fill_from"], more["fill_to"]) if "fill_from" in more else None
        if self._just_played(start, filled, self._link(start, more)):
            self.roll_dice()
        self.halt()
        try:
            controls = self.controls().changed(**more)
            generator = resources.generator(self.info)
        except PyzzicatoError as error:
            self.problems[f"model {self.info.id}"] = str(error)
            return
        player: Any = generator
        if self.mixed:
            player = player.mixing([each.music for each in self.mixed])
        write = player.generate
        if self.settings[links.AVOID.name] and self.info.reads_seed:
            write = partial(avoid_copying, player)
        takes, gap = self.settings["takes"], asked_gap(controls)
        job = Job(
            lambda: write(start.music, controls, takes),
            seconds=gap.seconds if gap else controls.seconds,
            takes=takes,
            qpm=start.music.qpm,
        ).start()
        texts, read = (
            self._link(start, more),
            "" if gap or not start.music else generator.reads(start.music),
        )
        number, info, mixed = self.pieces + 1, self.info, self.mixed
        self._show(Piece(number, start, info, controls, takes, job, texts, read, mixed))

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
        self.remember()
        self.piece, self.pieces = piece, piece.number
        self.take, self.wanted_take = min(self.wanted_take, piece.takes - 1), 0
        self.layered, self.autoplay = False, True

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


def _allowed(info: ModelInfo, name: str, value: Any) -> bool:
    """Whether the control `name` of a model can have this value; takes always can."""
    item = next((item for item in declared(info.controls) if item.name == name), None)
    if name in ("composer", "composer_2"):
        return not value or value in info.composers
    try:
        return item is None or item.check(value) == value
    except InvalidControl:
        return False


def open_view() -> View:
    """The visitor's view, with what the widgets and the address bar say now; first of all calls."""
    if "view" not in st.session_state:
        st.session_state["view"] = _new_view()
    view = cast(View, st.session_state["view"])
    if st.session_state.get("entered"):
        view.autoplay = False  # coming back from another page is no reason to play
    _read_link(view)
    return view


def _new_view() -> View:
    try:
        known = models()
    except PyzzicatoError as error:
        shell.problem(str(error))
        st.stop()
    if not known:
        shell.problem("There are no models here: fetch the project's files again.")
        st.stop()
    ready = [info for info in known.values() if not resources.missing(info)]
    info = ready[0] if ready else next(iter(known.values()))
    settings: dict[str, Any] = {}
    for each in (info, *known.values()):
        settings = {**links.usual_settings(each), **settings}
    composer, seed = FAVOURITE
    usual = composer if composer in info.composers or not info.composers else info.composers[0]
    settings |= {"model": info.id, "composer": usual}
    ids = [each.id for each in all_seeds()]
    start = library_start(seed if seed in ids else ids[0])
    return View(known, {**settings, "seed": start.id}, start)


def _read_link(view: View) -> None:
    texts = dict(st.query_params)
    if not texts or texts == view.written:
        return
    view.written = texts
    found, problems = links.from_link(texts, view.models, view.settings)
    if found["model"] != view.settings["model"]:
        view.choose_model(found["model"])
    view.wanted_take = found.pop(links.TAKE.name) - 1
    view.settings.update(found)
    view.problems["link"] = " ".join(problems)
    seed = found.get("seed")
    if seed is None or seed == view.start.id:
        return
    view.begin_with(nothing_start() if seed == links.NOTHING else library_start(seed))


def write_link(view: View) -> None:
    """Puts the settings into the address bar, where they differ from what is there."""
    texts = links.with_take(links.as_texts(view.settings, view.info), view.wanted_take)
    if texts != view.written:
        st.query_params.from_dict(texts)  # a click may end the run here: then it is not written
        view.written = texts


def draw_value(view: View, name: str) -> dict[str, Any]:
    """Key and callback for the widget of setting `name`, which then shows its value."""
    key = f"set-{name}"
    if key not in st.session_state or st.session_state[key] != view.settings[name]:
        st.session_state[key] = view.settings[name]
    return {"key": key, "on_change": gather, "args": (view,)}


def gather(view: View, but: str = "") -> None:
    """Takes over what the widgets say, `but` one; callbacks that use the settings call it first."""
    for name in view.settings:
        value = st.session_state.get(f"set-{name}")
        if value is not None and name != but:
            view.settings[name] = value


def toggle(what: str) -> None:
    """Opens or closes a longer list, by its name in the session; for callbacks."""
    st.session_state[what] = not st.session_state.get(what, False)
