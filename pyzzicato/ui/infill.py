"""Writing a stretch of the piece on the stage anew: the mark, and the button that does it."""

from __future__ import annotations

import streamlit as st

from pyzzicato.generation.controls import declared
from pyzzicato.generation.infill import SHORTEST_GAP, Gap
from pyzzicato.music.notes import NoteSequence
from pyzzicato.ui import links, resources, shell
from pyzzicato.ui.downloads import whole
from pyzzicato.ui.pieces import Start
from pyzzicato.ui.session import View
from pyzzicato.ui.widgets import draw_anew, gather, show, toggle

__all__ = ["base", "draw", "marked", "offer", "possible"]

_OPEN = "anew"
_GRID = 0.5  # seconds between two places that can be marked
_USUAL = 6.0  # seconds that are marked at first, at most
_LEAST = 2.0  # seconds of music in which there is something to mark


def _known_to(view: View) -> bool:
    """Whether the chosen model can fill in a stretch."""
    names = {item.name for item in declared(view.info.controls)}
    return "fill_from" in names and not resources.missing(view.info)


def base(view: View, music: NoteSequence | None) -> Start:
    """The piece that is on the stage, as something to change: `music` is what is new in it."""
    piece = view.piece
    if piece is None or music is None:
        start, so_far, borders = view.seed, view.seed.music, view.seed.borders
    else:
        start, so_far = piece.start, whole(piece, music)
        goes_on = not (piece.gap or piece.kept or piece.morph)
        borders = (*start.borders, piece.border) if goes_on else start.borders
    title = start.title or "a piece from nothing"
    return Start(links.RESULT, title, so_far, start.composer, borders)


def _stretch(view: View, length: float) -> tuple[float, float]:
    """What is marked, inside a piece of `length` seconds; at first a part of its middle."""
    last = int(length / _GRID) * _GRID
    low, high = view.stretch or (0.0, 0.0)
    if view.stretch is None or high > last:
        middle, half = last / 2, min(_USUAL, last / 2) / 2
        low, high = (round(end / _GRID) * _GRID for end in (middle - half, middle + half))
        view.stretch = (low, high)
    return low, high


def marked(view: View, music: NoteSequence | None) -> tuple[float, float] | None:
    """The stretch to show on the roll, in seconds; None where none is being marked."""
    if not st.session_state.get(_OPEN) or not possible(view, music):
        return None
    if "stretch" in st.session_state:
        view.stretch = st.session_state["stretch"]
    return _stretch(view, base(view, music).music.duration)


def possible(view: View, music: NoteSequence | None) -> bool:
    """Whether the chosen model can fill in a stretch, and there is music to mark one in."""
    return _known_to(view) and base(view, music).music.duration >= _LEAST


def offer() -> None:
    """The button that opens and closes the marking."""
    st.button("Write a stretch anew", key="anew-open", on_click=toggle, args=(_OPEN,))


def draw(view: View, music: NoteSequence | None) -> None:
    """The slider that marks the stretch and the button that writes it, where they are open."""
    stretch = marked(view, music)
    if stretch is None:
        return
    piece = base(view, music)
    with st.container(key="anew"):
        st.slider(
            "The stretch to write anew",
            0.0,
            int(piece.music.duration / _GRID) * _GRID,
            show("stretch", stretch),
            step=_GRID,
            format="%.1f s",
            key="stretch",
        )
        with st.container(key="anew-row", horizontal=True, vertical_alignment="center"):
            short = stretch[1] - stretch[0] < SHORTEST_GAP
            if st.button("Write this stretch anew", key="anew-write", disabled=short):
                gather(view)
                view.fill(piece, Gap(*stretch))
                draw_anew()
            shell.line(
                "Mark at least half a second."
                if short
                else "What stands before and after it stays; Undo brings the old notes back."
            )
