"""How close a finished take comes to the training music: one quiet sentence, and a mark."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from pyzzicato.errors import PyzzicatoError, UnknownName
from pyzzicato.metrics.originality import Report, originality
from pyzzicato.music.composers import find_composer
from pyzzicato.music.notes import NoteSequence
from pyzzicato.music.titles import right_title
from pyzzicato.ui.player import Known
from pyzzicato.ui.shell import clock

__all__ = ["Closeness", "closeness", "in_words", "underlined"]


class Closeness(NamedTuple):
    """What is said of a take, and the passage to underline on its roll, if it is worth that."""

    words: str = ""
    known: Known | None = None


@st.cache_data(max_entries=64, show_spinner=False)
def closeness(music: NoteSequence, border: float) -> Closeness:
    """Of new music that begins after `border` seconds; nothing is said without an index."""
    try:
        report = originality(music)
    except PyzzicatoError:
        return Closeness()
    return Closeness(in_words(report, border), underlined(report, border))


def in_words(report: Report, border: float) -> str:
    """What a report says, its times counted from the beginning of the seed."""
    if not report.notes:
        return "No passage of it stands in the training music."
    where = f"{_named(report)}, at {clock(border + report.start)}"
    if underlined(report, border):
        where += " (underlined on the roll)"
    if report.copied:
        return f"This copies: {where}, more than real works share. Roll the dice for another."
    return (
        f"Closest to known music: {where}. Two real works of one composer share "
        f"{report.usual_notes} notes as a rule."
    )


def underlined(report: Report, border: float) -> Known | None:
    """The passage, where it is longer than what real works share as a rule."""
    if not (report.copied or report.notes > report.usual_notes):
        return None
    return Known(border + report.start, border + report.end, f"As in {_named(report)}")


def _named(report: Report) -> str:
    return f"{report.notes} notes of {_short(report.composer)}, {right_title(report.title)}"


def _short(composer: str) -> str:
    try:
        return find_composer(composer).short
    except UnknownName:
        return composer
