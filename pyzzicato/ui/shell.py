"""What every page has around it: title, style, the bar at the top, and plain sentences.

Every page calls `open_page` first, because a link straight to it may run without app.py.
"""

from __future__ import annotations

from html import escape

import streamlit as st

from pyzzicato.ui import theme
from pyzzicato.ui.player import ASSETS, page_code, sound_bank

__all__ = ["clock", "close_page", "heading", "line", "open_page", "problem", "status", "title"]

PAGES = {
    "Compose": "pages/1_Compose.py",
    "Models": "pages/3_Models.py",
    "Scores": "pages/4_Scores.py",
    "Listen": "pages/5_Listen.py",
    "About": "pages/9_About.py",
}

_manners = st.components.v2.component(
    "pyzzicato.page",
    html='<i class="pyzzicato-page"></i>',
    js="\n".join((ASSETS / name).read_text(encoding="utf-8") for name in ("music.js", "page.js")),
    isolate_styles=False,
)
"""What the browser does for a page beside showing it."""


def open_page(name: str) -> None:
    """Title, style and bar of the page called `name` in `PAGES`."""
    st.set_page_config(
        page_title=f"{name} · Pyzzicato" if name != "Compose" else "Pyzzicato",
        page_icon=str(theme.ICON),
        layout="wide",
        initial_sidebar_state="collapsed",
    )
    theme.style()
    page_code()
    st.session_state["entered"] = st.session_state.get("page") != name
    st.session_state["page"] = name
    with st.container(key="bar", horizontal=True, vertical_alignment="center"):
        st.html('<span class="pz-name">Pyzzicato</span>')
        for label, path in PAGES.items():
            with st.container(
                key=f"nav-{label}" + ("-here" if label == name else ""), width="content"
            ):
                st.page_link(path, label=label)
    _manners(key="manners")


def close_page(*, band: bool = False) -> None:
    """The last call of a page that plays music; `band` where a band does."""
    sound_bank(band=band)


def clock(seconds: float) -> str:
    """Minutes and seconds, "1:05"."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def title(text: str) -> None:
    """The page's heading; `text` may come from a file, so it is never markup."""
    st.html(f'<h1 class="pz-title" id="top">{escape(text)}</h1>')


def heading(text: str) -> None:
    """The beginning of a section; `text` is never markup."""
    st.html(f'<h2 class="pz-heading">{escape(text)}</h2>')


def line(text: str, kind: str = "quiet") -> None:
    """One plain sentence, in small quiet letters unless `kind` is "label"."""
    st.html(f'<p class="pz-{kind}">{escape(text)}</p>')


def status(text: str, said: str = "") -> None:
    """The quiet line under the title; whenever `said` is another it is read out to who needs it."""
    st.html(f'<p class="pz-status" data-said="{escape(said)}">{escape(text)}</p>')


def problem(text: str) -> None:
    """One sentence that says what is wrong and what to do, where the cause is."""
    st.html(f'<p class="pz-problem" role="alert">{escape(text)}</p>')
