"""How close a finished take comes to the training music, in one quiet sentence."""

from __future__ import annotations

import streamlit as st

from pyzzicato.composers import find_composer
from pyzzicato.errors import PyzzicatoError, UnknownName
from pyzzicato.notes import NoteSequence
from pyzzicato.originality import Report, originality
from pyzzicato.ui.shell import clock

__all__ = ["closeness", "in_words"]


@st.cache_data(max_entries=64, show_spinner=False)
def closeness(music: NoteSequence, border: float) -> str:
    """The sentence for new music that begins after `border` seconds; empty without an index."""
    try:
        return in_words(originality(music), border)
    except PyzzicatoError:
        return ""


def in_words(report: Report, border: float) -> str:
    """What a report says, its times counted from the beginning of the seed."""
    if not report.notes:
        return "No passage of it stands in the training music."
    title = report.title.split("[")[0].replace("_", " ").strip()
    where = f"{report.notes} notes of {_short(report.composer)}, {title}, at "
    where += clock(border + report.start)
    if report.copied:
        return f"This copies: {where}, more than real works share. Roll the dice for another."
    return (
        f"Closest to known music: {where}. Two real works of one composer share "
        f"{report.usual_notes} notes as a rule."
    )


def _short(composer: str) -> str:
    try:
        return find_composer(composer).short
    except UnknownName:
        return composer
