"""Music for a band on the page: which models play it, and what a seed becomes for each kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from pyzzicato import errors
from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi import piano_part
from pyzzicato.generation import instrument_lock
from pyzzicato.music.instruments import INSTRUMENTS, band_notes, is_band, place_of, players
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.ui.pieces import Start

__all__ = ["becomes", "fitted", "listed", "plays_band"]

# (last program, name), by program: what the band's strings play, as one would call it.
_FAMILIES = (
    (15, "Mallets"),
    (23, "Organ"),
    (55, "Strings"),
    (79, "Winds"),
    (95, "Synthesizers"),
    (111, "Folk instruments"),
)


def plays_band(info: ModelInfo) -> bool:
    """Whether a model plays drums, piano, guitar, bass and strings."""
    return instrument_lock.plays_band(info.controls)


@lru_cache(maxsize=32)
def fitted(start: Start, band: bool) -> Start:
    """`start` as a model for a band, or one for the piano, takes it.

    The piano plays all pitched notes; a band leaves out what none of the five plays. Where nothing
    is left the music is empty.
    """
    if band:
        music = band_notes(start.music)
    elif is_band(start.music):
        try:
            music = piano_part(start.music)
        except UnreadableMusic:
            music = NoteSequence(qpm=start.music.qpm)
    else:
        return start
    return start if music == start.music else replace(start, music=music)


def becomes(music: NoteSequence, band: bool) -> str:
    """What a model for a band, or one for the piano, makes of `music`, in one sentence; "" where
    it takes it as it is."""
    names = players(music)
    if band:
        if names == ("Piano",):
            return (
                "Only the piano plays in it: drums, guitar, bass and strings are arranged for it."
            )
        others = [name for name in _called(music, "Strings") if name != "Strings"]
        return f"The strings play its {listed(others)}." if others else ""
    others = [n for name in ("Guitar", "Bass", "Strings") for n in _called(music, name)]
    if not (others or "Drums" in names):
        return ""
    said = [f"its {listed(others)} {_are(others)} played on the piano"] if others else []
    if "Drums" in names:
        said.append("its drums are left out")
    return f"This model plays the piano: {' and '.join(said)}."


def _called(music: NoteSequence, part: str) -> list[str]:
    """What plays the part of one of the five in `music`, as one would call it."""
    programs = {note.program for note in music if not note.is_drum}
    names = {
        next(name for last, name in _FAMILIES if program <= last) if part == "Strings" else part
        for program in programs
        if (place := place_of(program, False)) is not None and INSTRUMENTS[place] == part
    }
    return sorted(names)


def listed(names: Sequence[str]) -> str:
    """Instruments in words: "guitar, bass and strings"."""
    return errors.listed([name.lower() for name in names])


def _are(names: Sequence[str]) -> str:
    return "is" if (len(names) == 1 and not names[0].endswith("s")) or names == ["Bass"] else "are"
