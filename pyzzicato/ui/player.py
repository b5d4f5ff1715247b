"""The player of the stage, the seed cards and the row of takes, as Streamlit components.

Each is one `st.components.v2` component without an iframe: HTML, CSS and JavaScript from
`assets/`, and the music as bytes. Recordings, of the piano and of the band, travel apart from them
(`sound_bank`).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from pyzzicato.band_parts import OTHERS, is_band, players
from pyzzicato.codecs.multitrack_roll import INSTRUMENTS, instrument_of
from pyzzicato.layering import PROGRAMS
from pyzzicato.notes import Note, NoteSequence, counted

__all__ = [
    "Known",
    "PlayerResult",
    "SeedCard",
    "fetch_file",
    "player",
    "seed_cards",
    "sound_bank",
    "takes_row",
]

ASSETS = Path(__file__).parent / "assets"
BANK = Path(__file__).parents[1] / "assets" / "piano-bank.bin"
BAND_BANK = BANK.with_name("band-bank.bin")
SEED, NEW = 0, 1
BAND = 16  # the part of the drums; the other four instruments of a band follow
COLUMNS = 5  # start, duration (seconds), pitch, velocity, part (SEED, NEW and those after it, BAND)
VOICES = {program: NEW + voice for voice, program in enumerate(PROGRAMS)}
"""The part of a new note by its program: each instrument has a sound and a colour of its own."""


@dataclass(frozen=True, slots=True)
class PlayerResult:
    """What the person asked the player for: new music from `continue_at` seconds on."""

    continue_at: float


class Known(NamedTuple):
    """A passage to underline on the roll, in seconds of the whole, and what its tip says."""

    start: float
    end: float
    words: str


@dataclass(frozen=True, slots=True)
class SeedCard:
    """One seed to choose: `id` comes back when it is chosen, the rest is shown and heard."""

    id: str
    title: str
    subtitle: str
    sequence: NoteSequence
    seconds: float | None = None
    """Length of the thumbnail; None is the length of the music."""


def _script(*names: str) -> str:
    """One script made of several files; only the last has an `export default`."""
    return "\n".join((ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in names)


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


_SOUND = ("instruments", "band", "sound", "music", "transport", "roll")
_player = st.components.v2.component(
    "pyzzicato.player",
    html=_asset("player.html"),
    css=_asset("player.css"),
    js=_script(*_SOUND, "keyboard", "gestures", "known", "mixer", "player"),
)
_cards = st.components.v2.component(
    "pyzzicato.cards",
    html=_asset("cards.html"),
    css=_asset("cards.css"),
    js=_script(*_SOUND, "cards"),
)
_bank = st.components.v2.component(
    "pyzzicato.bank",
    html='<i class="pyzzicato-bank"></i>',
    # Takes no room on the page, not even the gap between two elements. (Streamlit takes a text
    # without a line break for the name of a file.)
    css='[data-testid="stElementContainer"]:has(.pyzzicato-bank) {\n  display: none;\n}\n',
    js=_script("instruments", "band", "sound", "bank"),
    isolate_styles=False,
)
_fetch = st.components.v2.component(
    "pyzzicato.fetch",
    html='<i class="pyzzicato-fetch"></i>',
    css='[data-testid="stElementContainer"]:has(.pyzzicato-fetch) {\n  display: none;\n}\n',
    js=_script("fetch"),
    isolate_styles=False,
)


def player(
    *,
    seed: NoteSequence,
    continuation: NoteSequence,
    border: float,
    expected: float,
    running: bool,
    take: str,
    autoplay: bool,
    key: str,
    height: int = 340,
    piece: str = "",
    made: float | None = None,
    start_at: float = 0.0,
    offer_continue: bool = False,
    inside: bool = False,
    marked: tuple[float, float] | None = None,
    known: Known | None = None,
    layers: bool = False,
) -> PlayerResult | None:
    """Shows and plays a seed and what follows it, also while that is still being written.

    `border` is where the seed ends and `expected` how much new music was asked for, in seconds;
    the times of `continuation` count from the border. Call it again with the same `key`, `piece`
    and `take` and more notes as they arrive. `made` seconds of new music are complete (None: up to
    the last note's end): while `running`, playing waits there.

    A new `take` replaces the picture and keeps the place and the playing; a new `piece` starts
    afresh. With `autoplay`, playing begins at `start_at` seconds once for each `piece` (or when
    autoplay becomes true), as soon as half a second of music lies ahead and the page has been
    touched. `height` is that of the roll, in pixels; 0 hides it. With `inside`, notes of the seed
    may follow the new music; `marked` is a stretch to point out, `known` a passage to underline.
    Where a band plays, each instrument has a colour, a sound and a strip to mute it; with `layers`
    each program has a colour and a sound, for takes that are layered.
    With `offer_continue` there is a button *Continue from here*; the run in which it was pressed
    gets a PlayerResult, every other run None. Nothing else causes a rerun.
    """
    band = is_band(seed, continuation) and not layers
    header = {
        "take": take, "piece": piece, "border": border, "expected": expected, "running": running,
        "autoplay": autoplay, "start_at": start_at, "height": height,
        "offer_continue": offer_continue, "marked": marked, "known": known,
        "made": border + (continuation.duration if made is None else made),
        "until": border + expected if inside else None,
        "band": [n for n in players(seed, continuation) if n != OTHERS] if band and height else [],
    }  # fmt: skip
    data = _pack(header, _in_order(seed, continuation.shift(border), band))
    at = _player(key=key, data=data, on_continue_at_change=_nothing).get("continue_at")
    return None if at is None else PlayerResult(float(at))


def seed_cards(
    seeds: Sequence[SeedCard],
    chosen: str,
    key: str,
    *,
    label: str = "Start from",
    on_pick: Callable[[str], None] | None = None,
) -> str:
    """Cards to choose a seed by sight and sound; returns the id of the chosen one.

    The id is `chosen` unless another card was picked just now: keep what is returned. `on_pick`
    is called with the id before the page runs, as the callback of any Streamlit widget.
    """
    cards = [
        (card.id, card.title, card.subtitle, card.sequence, card.seconds, SEED) for card in seeds
    ]
    return _choose("list", label, cards, chosen, key, on_pick)


def takes_row(
    takes: Sequence[NoteSequence],
    chosen: int,
    key: str,
    *,
    seconds: float | None = None,
    layered: bool = False,
    on_pick: Callable[[int], None] | None = None,
) -> int:
    """Several takes as small rolls in a row; returns the index of the chosen one, from 0.

    All are drawn on a stage of `seconds` (None: the longest take), so that growing ones fill it.
    With `layered` each has the colour that it has on the roll when all are played at once.
    """
    length = max((take.duration for take in takes), default=0.0) if seconds is None else seconds
    cards = [
        (str(index), f"take {index + 1}", counted(len(take)), take, length, NEW + layered * index)
        for index, take in enumerate(takes)
    ]
    call = None if on_pick is None else lambda pick: on_pick(int(pick))
    return int(_choose("row", "Takes", cards, str(chosen), key, call))


def sound_bank(*, band: bool = False) -> None:
    """Sends the recorded piano to the browser; call it once on each page, last of all.

    With `band` the recorded drums, guitar, bass and strings follow it. A page without recordings
    plays on computed sounds. The bytes are sent once to each visitor: Streamlit refers to a
    message that the browser already holds by its hash.
    """
    for path in (BANK, BAND_BANK) if band else (BANK,):
        data = _bank_bytes(path)
        if data:
            _bank(key=f"pyzzicato-{path.stem}", data=data)


def fetch_file(file: str) -> None:
    """Has the browser press, once, the download button in the container `file-<file>`."""
    _fetch(key=f"pyzzicato-fetch-{file}", data={"id": file})


@cache
def _bank_bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _nothing() -> None:
    """A callback, so that the trigger is in the result."""


def _rows(
    sequence: NoteSequence, part: int, band: bool = False
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """(notes, COLUMNS) float32; without a band drums are left out, for a piano has none."""
    rows = [
        (n.start, n.end - n.start, n.pitch, n.velocity, _voice(n, part, band))
        for n in sequence
        if band or not n.is_drum
    ]
    return np.array(rows, dtype="<f4").reshape(-1, COLUMNS)


def _in_order(
    seed: NoteSequence, new: NoteSequence, band: bool = False
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """The rows of both, by when they start."""
    rows = np.concatenate([_rows(seed, SEED, band), _rows(new, NEW, band)])
    return rows[np.argsort(rows[:, 0], kind="stable")]


def _voice(note: Note, part: int, band: bool) -> int:
    """The part of a note: its instrument in a band, where what is in no band is the piano."""
    if band:
        place = instrument_of(note)
        return BAND + (INSTRUMENTS.index("Piano") if place is None else place)
    return VOICES.get(note.program, part) if part == NEW and note.program else part


def _pack(header: dict[str, Any], rows: np.ndarray[Any, np.dtype[np.float32]]) -> bytes:
    """uint32 length of the header, the header as JSON padded to 4 bytes, the rows."""
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + rows.astype("<f4").tobytes()


def _choose(
    layout: str,
    label: str,
    cards: Sequence[tuple[str, str, str, NoteSequence, float | None, int]],
    chosen: str,
    key: str,
    on_pick: Callable[[str], None] | None,
) -> str:
    """Mounts the cards (id, title, subtitle, music, seconds, part); the id that is chosen."""
    # A layered take, whose part comes after NEW, has one colour.
    rows = [
        _rows(sequence, part, part <= NEW and is_band(sequence))
        for _, _, _, sequence, _, part in cards
    ]
    header = {
        "layout": layout,
        "label": label,
        "chosen": chosen,
        "hear": layout == "list",
        "cards": [
            {
                "id": name,
                "title": title,
                "subtitle": subtitle,
                "seconds": sequence.duration if seconds is None else seconds,
                "notes": len(each),
            }
            for (name, title, subtitle, sequence, seconds, _), each in zip(cards, rows, strict=True)
        ],
    }

    def picked() -> None:
        pick = st.session_state[key].get("pick")
        if on_pick is not None and pick is not None:
            on_pick(str(pick))

    data = _pack(header, np.concatenate([*rows, np.empty((0, COLUMNS), dtype="<f4")]))
    result = _cards(key=key, data=data, on_pick_change=picked)
    pick = result.get("pick")
    known = {card[0] for card in cards}
    return str(pick) if pick is not None and str(pick) in known else chosen
