"""One visit: the view that it begins with, what its address says, and what is kept of it."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

import streamlit as st

from pyzzicato.errors import PyzzicatoError
from pyzzicato.registry import models
from pyzzicato.seeds.library import all_seeds
from pyzzicato.ui import links, resources, shell, visits
from pyzzicato.ui.pieces import library_start, nothing_start
from pyzzicato.ui.player import browser_keeps
from pyzzicato.ui.session import View
from pyzzicato.ui.widgets import was_pressed

__all__ = ["close_view", "open_view"]

FAVOURITE = ("chopin", "chopin-nocturne-op-9-no-2")


def open_view() -> View:
    """The visitor's view, with what the widgets and the address bar say now; first of all calls."""
    if "view" not in st.session_state:
        st.session_state["view"] = _brought_back(_new_view())
    view = cast(View, st.session_state["view"])
    if st.session_state.get("entered"):
        view.autoplay = False  # coming back from another page is no reason to play
    if not was_pressed():  # else the address may be of before the press
        _read_link(view)
    view.shows_running = view.running
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
    settings["seed"] = start.id
    return View(known, settings, start, staged=dict(settings))


def _brought_back(view: View) -> View:
    """The view with what this visitor had on the stage before, if anything."""
    saved = visits.visits().find(visits.token(), view.models)
    if saved is not None:
        *past, scene = saved.scenes
        view.past, view.future, view.written = past, list(saved.undone), dict(saved.written)
        usual = dict(view.settings)
        view.put(scene)
        _follow(view, dict(saved.written))  # what was set since then
        for name, value in usual.items():  # another version of a model may have other limits
            if not links.allowed(view.info, name, view.settings[name]):
                view.settings[name] = value
        pieces = (each.piece for each in (*saved.scenes, *saved.undone))
        view.pieces = max((piece.number for piece in pieces if piece), default=0)
        view.kept = saved
    return view


def _read_link(view: View) -> None:
    texts = dict(st.query_params)
    if not texts or texts == view.written:
        return
    if texts == view.read and not st.session_state.get("entered"):
        return  # the browser has not heard yet of what became of it
    view.read = dict(texts)
    _follow(view, texts)


def _follow(view: View, texts: dict[str, str]) -> None:
    whole = "seed" in texts  # a link that says what to start from says all that is not as usual
    if texts.get("seed") == view.start.id:
        del texts["seed"]  # it is here already, a person's own file as well
    found, problems = links.from_link(texts, view.models, view.settings)
    if not whole:
        found = {n: v for n, v in found.items() if n in (*texts, "model", links.TAKE.name)}
    if found["model"] != view.settings["model"]:
        view.choose_model(found["model"])
    view.wanted_take = found.pop(links.TAKE.name) - 1
    view.settings.update(found)
    view.problems["link"] = " ".join(problems)
    seed = found.get("seed")
    if seed is None or seed == view.start.id:
        return
    view.begin_with(nothing_start() if seed == links.NOTHING else library_start(seed), by_hand=True)


def close_view(view: View) -> None:
    """Puts the settings into the address bar, and keeps what is on the stage."""
    view.written = links.with_take(links.as_texts(view.settings, view.info), view.wanted_take)
    browser_keeps(visits.COOKIE, visits.token(), urlencode(view.written))
    saved = visits.Saved((*view.past, view.scene), tuple(view.future), view.written)
    if saved != view.kept:
        visits.visits().keep(visits.token(), saved)
        view.kept = saved
