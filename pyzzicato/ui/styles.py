"""Under the control *Style*: a map to pick one from, and the style of the person's own music."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from pyzzicato.errors import PyzzicatoError, UnreadableMusic, listed
from pyzzicato.music.limits import check_size
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.seeds.sources import MOST_STYLES
from pyzzicato.ui import resources, shell
from pyzzicato.ui.pieces import Other
from pyzzicato.ui.session import View
from pyzzicato.ui.style_map import style_map
from pyzzicato.ui.uploads import read_upload
from pyzzicato.ui.widgets import gather

__all__ = ["CONTROL", "draw", "own_music"]

CONTROL = "style"
"""The control under which all this stands."""
_FILES = "style-files"


def draw(view: View) -> None:
    """The map and the person's own music, where the model mixes styles."""
    if not view.info.can("mixing"):
        return
    try:
        library = resources.styles(view.info)
    except PyzzicatoError:
        return  # said under the model
    marks = _marks(view)
    style_map(library, view.settings[CONTROL], "style-map", partial(_take_style, view), marks)
    shell.line("Dots are pieces, and what is alike lies close together. Click to choose a style.")
    if marks:
        shell.line(f"In blue: {listed(list(marks))}.")
    key = f"{_FILES}-{st.session_state.get(_FILES, 0)}"
    st.file_uploader(
        "The style of your own music",
        accept_multiple_files=True,
        key=key,
        on_change=_take_files,
        args=(view, key),
    )
    if view.problems.get("styles"):
        shell.problem(view.problems["styles"])
    if not view.others:
        shell.line("MIDI or ABC files, several for a hybrid. They are not kept, nor in a link.")
        return
    shell.line(_mixture(view))
    for each in view.others:
        for sentence in each.said:
            shell.line(f"{each.name}: {sentence}")
    st.button("Leave it out", key="style-out", type="tertiary", on_click=_leave_out, args=(view,))


def own_music(file: Any) -> Other:
    """What a band plays of an uploaded file; raises UnreadableMusic."""
    check_size(file.size)
    part = read_upload(file.getvalue(), file.name).part(band=True)
    if part.problem:
        raise UnreadableMusic(part.problem)
    return Other(file.name, part.music, part.said)


def _marks(view: View) -> dict[str, np.ndarray]:
    """Where the seed and the person's own music lie on the map, once the model is loaded."""
    if view.info.id not in view.warm or resources.missing(view.info):
        return {}
    music = {"the seed": view.seed.music, **{each.name: each.music for each in view.others}}
    weights = view.info.weights
    changed = weights.stat().st_mtime_ns
    places = {n: _place(view.info, str(weights), changed, each) for n, each in music.items()}
    return {name: place for name, place in places.items() if place is not None}


@st.cache_data(max_entries=64, show_spinner=False)
def _place(_info: ModelInfo, weights: str, changed: int, music: NoteSequence) -> np.ndarray | None:
    """Where music lies on the map, (2,); None for silence.

    `weights` (their file) and `changed` (its time) tell one model from another: the model itself
    is not kept here, so that its memory is free once no one else needs it.
    """
    generator: Any = resources.generator(_info)
    latents = generator.latents(music)
    if not len(latents):
        return None
    place: np.ndarray = generator.library.places(latents.mean(axis=0))
    return place


def _mixture(view: View) -> str:
    """What is mixed in, in one sentence."""
    names = [each.name for each in view.others]
    chosen = view.settings[CONTROL]
    if chosen != "none":
        names.append("the seed" if chosen == "seed" else chosen)
    return f"Mixed in: {listed(names)}. Not in a link."


def _take_style(view: View, name: str) -> None:
    gather(view)
    view.settings[CONTROL] = name


def _take_files(view: View, key: str) -> None:
    """Reads the files; one that cannot be read is named, and the others are taken."""
    gather(view)
    files: Sequence[Any] = st.session_state[key] or ()
    found, problems = [], []
    for file in files[:MOST_STYLES]:
        try:
            found.append(own_music(file))
        except UnreadableMusic as error:
            problems.append(f"{file.name}: {error}")
    if len(files) > MOST_STYLES:
        problems.append(
            f"More than {MOST_STYLES} files cannot be mixed: only the first ones are taken."
        )
    view.others = tuple(found)
    view.problems["styles"] = " ".join(problems)


def _leave_out(view: View) -> None:
    gather(view)
    view.others = ()
    view.problems.pop("styles", None)
    st.session_state[_FILES] = st.session_state.get(_FILES, 0) + 1  # an empty one takes its place
