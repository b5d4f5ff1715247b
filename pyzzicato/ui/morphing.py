"""Leading what is on the stage into another piece: which one, in how many steps, and the button."""

from __future__ import annotations

import streamlit as st

from pyzzicato.errors import UnreadableMusic
from pyzzicato.music.notes import NoteSequence
from pyzzicato.seeds.library import all_seeds
from pyzzicato.ui import infill, resources, shell
from pyzzicato.ui.pieces import Other, Start, library_start
from pyzzicato.ui.session import View
from pyzzicato.ui.styles import own_music
from pyzzicato.ui.widgets import draw_anew, gather, toggle

__all__ = ["draw", "offer", "possible"]

_OPEN = "morphing"
_FILE = "file"
_WINDOWS = (2, 8, 32)  # fewest, usual and most steps, of two bars each
_LONGEST = 300.0  # seconds


def _base(view: View, music: NoteSequence | None) -> Start:
    """The piece on the stage; a seed that nothing was written after stays the seed it is."""
    return view.seed if view.piece is None or music is None else infill.base(view, music)


def possible(view: View, music: NoteSequence | None) -> bool:
    """Whether the chosen model can morph, and there is music to begin with."""
    able = view.info.can("morph") and not resources.missing(view.info)
    return able and bool(_base(view, music).music)


def offer() -> None:
    """The button that opens and closes the choice."""
    st.button("Morph into …", key="morph-open", on_click=toggle, args=(_OPEN,))


def draw(view: View, music: NoteSequence | None) -> None:
    """The other piece, the number of steps and the button that begins, where they are open."""
    if not st.session_state.get(_OPEN):
        return
    base = _base(view, music)
    with st.container(key="morphing"):
        names = {_FILE: "A file of your own"}
        names |= {s.id: f"{s.composer.short}: {s.name}" for s in all_seeds()}
        chosen = st.selectbox(
            "Morph into",
            list(names),
            index=None,
            format_func=lambda name: names.get(name, ""),
            placeholder="Choose an opening, or a file of your own",
            key="morph-goal",
        )
        goal = _file(view) if chosen == _FILE else _opening(chosen)
        low, usual, high = _WINDOWS
        two_bars = 8 * 60 / base.music.qpm
        high = max(low + 1, min(high, int(_LONGEST / two_bars)))
        steps = st.slider("In how many steps", low, high, min(usual, high), key="morph-steps")
        with st.container(key="morph-row", horizontal=True, vertical_alignment="center"):
            if st.button("Morph", key="morph-write", disabled=goal is None) and goal is not None:
                gather(view)
                view.morph(base, goal, steps)
                draw_anew()
            shell.line(
                f"Two bars each, {steps * two_bars:.0f} s in all, in the key and tempo of what is "
                "on the stage. Undo brings that back."
                if goal
                else "Choose the piece that it turns into."
            )


def _opening(seed_id: str | None) -> Other | None:
    if seed_id is None:
        return None
    start = library_start(seed_id)
    return Other(start.words(), start.music)


def _file(view: View) -> Other | None:
    """The person's own file, once there is one that can be read."""
    st.file_uploader(
        "A MIDI or ABC file, at most 1 MB",
        key="morph-file",
        label_visibility="collapsed",
        on_change=_take_file,
        args=(view,),
    )
    if view.problems.get("goal"):
        shell.problem(view.problems["goal"])
    elif view.goal is not None:
        shell.line(f"{view.goal.name}: {view.goal.music.duration:.0f} s.")
        for sentence in view.goal.said:
            shell.line(sentence)
    return view.goal


def _take_file(view: View) -> None:
    gather(view)
    file = st.session_state["morph-file"]
    view.goal = None
    view.problems.pop("goal", None)
    if file is None:
        return
    try:
        view.goal = own_music(file)
    except UnreadableMusic as error:
        view.problems["goal"] = str(error)
