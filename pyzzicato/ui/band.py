"""Music for a band on the page: which models play it, and what a seed becomes for each kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from pyzzicato import band_seeds
from pyzzicato.band_parts import band_notes, is_band, players
from pyzzicato.codecs.multitrack_roll import INSTRUMENTS
from pyzzicato.errors import UnreadableMusic
from pyzzicato.midi import piano_part
from pyzzicato.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.ui.pieces import Start

__all__ = ["becomes", "fitted", "listed", "plays_band"]


def plays_band(info: ModelInfo) -> bool:
    """Whether a model plays drums, piano, guitar, bass and strings."""
    return band_seeds.plays_band(info.controls)


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
    names = list(players(music))
    if band and names == ["Piano"]:
        return "Only the piano plays in it: drums, guitar, bass and strings are arranged for it."
    others = [name for name in names if name in INSTRUMENTS and name not in ("Drums", "Piano")]
    if band or not (others or "Drums" in names):
        return ""
    said = [f"its {listed(others)} {_are(others)} played on the piano"] if others else []
    if "Drums" in names:
        said.append("its drums are left out")
    return f"This model plays the piano: {' and '.join(said)}."


def listed(names: Sequence[str]) -> str:
    """Instruments in words: "guitar, bass and strings"."""
    *most, last = (name.lower() for name in names)
    return f"{', '.join(most)} and {last}" if most else last


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 and names[0] != "Strings" else "are"
