"""Making instruments of the piece on the stage anew: which stay, and the button that does it."""

from __future__ import annotations

import streamlit as st

from pyzzicato.generation.instrument_lock import keep_word
from pyzzicato.music.instruments import INSTRUMENTS, players
from pyzzicato.music.notes import NoteSequence
from pyzzicato.ui import infill, resources, shell
from pyzzicato.ui.band import plays_band
from pyzzicato.ui.pieces import Start
from pyzzicato.ui.session import View
from pyzzicato.ui.widgets import draw_anew, gather, toggle

__all__ = ["draw", "offer", "possible"]

_OPEN = "keeping"
_LONGEST = 300.0  # seconds that can be made anew at once


def _base(view: View, music: NoteSequence | None) -> Start:
    """The piece on the stage; a seed that nothing was written after stays the seed it is."""
    return view.seed if view.piece is None or music is None else infill.base(view, music)


def _playing(view: View, music: NoteSequence | None) -> list[str]:
    return [name for name in players(_base(view, music).music) if name in INSTRUMENTS]


def possible(view: View, music: NoteSequence | None) -> bool:
    """Whether the chosen model can make instruments infill, and there is music to keep some of."""
    return (
        plays_band(view.info) and not resources.missing(view.info) and bool(_playing(view, music))
    )


def offer(view: View, music: NoteSequence | None) -> None:
    """The button that opens and closes the choice."""
    alone = _playing(view, music) == ["Piano"]
    label = "Arrange for five" if alone else "Make instruments anew"
    st.button(label, key="keeping-open", on_click=toggle, args=(_OPEN,))


def draw(view: View, music: NoteSequence | None) -> None:
    """The instruments to keep and the button that makes the others infill, where they are open."""
    if not st.session_state.get(_OPEN):
        return
    base, playing = _base(view, music), _playing(view, music)
    if "keep-names" not in st.session_state:
        st.session_state["keep-names"] = playing[:1] if len(playing) == 1 else []
    st.session_state["keep-names"] = [n for n in st.session_state["keep-names"] if n in playing]
    with st.container(key="keeping"):
        kept = st.pills("These stay as they are", playing, selection_mode="multi", key="keep-names")
        problem = _problem(tuple(kept))
        with st.container(key="keeping-row", horizontal=True, vertical_alignment="center"):
            if st.button("Make the others anew", key="keeping-write", disabled=bool(problem)):
                gather(view)
                if view.piece is not None:
                    view.roll_dice()  # the same again would be the same music
                seconds = min(max(base.music.duration, 5.0), _LONGEST)
                view.keep_some(base, keep_word(tuple(kept)), seconds)
                draw_anew()
            shell.line(problem or _promise(base.music.duration))


def _problem(kept: tuple[str, ...]) -> str:
    if not kept:
        return "Choose what to keep."
    if len(kept) == len(INSTRUMENTS):
        return "Leave one out, so that there is something to make."
    return ""


def _promise(length: float) -> str:
    if length > _LONGEST:
        return "What is kept stays note for note, for the first five minutes."
    return "What is kept stays note for note; Undo brings the old notes back."
