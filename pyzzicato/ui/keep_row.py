"""The row of files to keep, and the link: below the player, never above it.

A press on a button makes its file in the background; the browser gets it when it is there. The
address of a file that is offered before it is made is lost whenever any visitor's page has run
to its end, so none is offered.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from pyzzicato.music.instruments import is_band
from pyzzicato.music.notes import NoteSequence
from pyzzicato.ui import shell
from pyzzicato.ui.downloads import MIME, Kept, about_link, title_of
from pyzzicato.ui.making import Making
from pyzzicato.ui.player import fetch_file
from pyzzicato.ui.theme import is_dark

__all__ = ["draw"]

_POLL = 0.5  # seconds between two looks at a file that is being made
_PATIENCE = 0.3  # seconds in which a small file is made, so that it is there at once
_STAYS = 15.0  # seconds that a file which is made is held, at least
_LABELS = {"mid": "MIDI", "wav": "WAV", "mp3": "MP3", "png": "Picture", "svg": "SVG"}
_FILES = "keep-files"


def draw(kept: Kept | None) -> None:
    """What can be kept of a piece, and the files that were asked for; only those for None."""
    st.fragment(_draw)(kept)


def _draw(kept: Kept | None) -> None:
    if kept is not None:
        _buttons(kept)
    files = _files()
    if files:
        files[-1].wait(max(0.0, _PATIENCE - files[-1].age))
    busy = any(file.busy for file in files)
    st.fragment(_draw_files, run_every=_POLL if busy else None)(busy)
    if kept is not None:
        with st.expander("Link", key="link"):
            shell.line(about_link(kept.piece))
            st.code(kept.address, language=None, wrap_lines=True)
        _draw_picture(kept)


def _buttons(kept: Kept) -> None:
    music = kept.music
    buttons = dict(_LABELS)
    if kept.text:
        buttons = {"abc": "ABC", **buttons}
    band = kept.shown is not None and is_band(music)
    if band:
        buttons["stems"] = "Each instrument"
    with st.container(key="keep", horizontal=True, vertical_alignment="center"):
        shell.line("Keep", "label")
        for kind, label in (buttons | {"zip": "All takes"}).items():
            st.button(
                label,
                # A button that is still to be seen beside the next piece is not that one's.
                key=f"keep-{kind}-{kept.piece.number}",
                on_click=_make,
                args=(kept, kind),
            )
    if band:
        shell.line(
            "Files have all instruments, also those that are muted here; “Each instrument” has "
            "every one by itself."
        )


def _make(kept: Kept, kind: str) -> None:
    """Begins to make a file, unless it is being made."""
    files, name = _files(), kept.name(kind)
    if not any(file.busy and file.name == name for file in files):
        making = Making(name, MIME[kind], partial(kept.file, kind))
        st.session_state[_FILES] = [*files, making]


def _files() -> list[Making]:
    """The files that were asked for, without those that the browser has had for a while."""
    files: list[Making] = st.session_state.get(_FILES, [])
    st.session_state[_FILES] = [file for file in files if not file.older(_STAYS)]
    return list(st.session_state[_FILES])


def _draw_files(busy: bool) -> None:
    """The files that were asked for; `busy` where one was being made when the row was drawn."""
    files: list[Making] = st.session_state.get(_FILES, [])
    if busy and not any(file.busy for file in files):
        st.rerun()  # ends the looking
    for file in files:
        if file.busy:
            done, of = file.parts
            told = f", {done} of {of} takes are there" if of else ""
            st.progress(done / max(of, 1), f"Making {file.name}{told} …")
        elif file.data is None:
            shell.problem(file.error)
        else:
            with st.container(key=f"file-{file.id}"):
                st.download_button(
                    file.name,
                    file.data,
                    file.name,
                    file.mime,
                    key=f"fetch-{file.id}",
                    type="tertiary",
                    on_click="ignore",
                )
            fetch_file(file.id)


def _draw_picture(kept: Kept) -> None:
    picture = st.expander("Piano roll as a picture", key="picture", on_change="rerun")
    if picture.open:
        with picture, st.spinner("Drawing …"):
            there, new = kept.piece.parts(kept.written)
            more = {
                "border": kept.piece.border,
                "title": title_of(kept.piece),
                "dark": is_dark(),
                "layers": kept.shown is None,
                "earlier": kept.piece.start.borders,
            }
            st.image(_picture(there, new, more), width="stretch")


@st.cache_data(max_entries=16, show_spinner=False)
def _picture(seed: NoteSequence, music: NoteSequence, more: dict[str, Any]) -> bytes:
    from pyzzicato.render.plotting import figure_file, roll_figure

    return figure_file(roll_figure(seed, music, **more), "png")
