"""The player of the stage, the seed cards and the row of takes, as Streamlit components.

Each is one `st.components.v2` component without an iframe: HTML, CSS and JavaScript from
`assets/`, and the music as bytes. Recordings, of the piano and of the band, travel apart from them
(`sound_bank`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from pyzzicato.music.instruments import OTHERS, is_band, players
from pyzzicato.music.notes import NoteSequence, counted
from pyzzicato.ui.messages import COLUMNS, EARLIER, NEW, SEED, News, Rows, note_rows, pack

__all__ = [
    "Known",
    "PlayerResult",
    "SeedCard",
    "browser_keeps",
    "fetch_file",
    "page_code",
    "player",
    "seed_cards",
    "sound_bank",
    "takes_row",
]

ASSETS = Path(__file__).parent / "assets"
BANK = Path(__file__).parents[1] / "assets" / "piano-bank.bin"
BAND_BANK = BANK.with_name("band-bank.bin")


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


_CODE = (
    "instruments", "band", "sound", "music", "transport", "roll",
    "keyboard", "gestures", "known", "mixer", "player", "cards", "code",
)  # fmt: skip
_components = {
    name: st.components.v2.component(
        f"pyzzicato.{name}",
        html=_asset(f"{name}.html"),
        css=_asset(f"{name}.css"),
        js=_asset("component.js").replace("NAME", name),
    )
    for name in ("player", "cards")
}
# Takes no room on the page, not even the gap between two elements. (Streamlit takes a text
# without a line break for the name of a file.)
_code, _bank, _visit, _fetch = (
    st.components.v2.component(
        f"pyzzicato.{name}",
        html='<i class="pyzzicato-hidden"></i>',
        css='[data-testid="stElementContainer"]:has(.pyzzicato-hidden) {\n  display: none;\n}\n',
        js=code,
        isolate_styles=False,
    )
    for name, code in (
        ("code", _script(*_CODE)),
        ("bank", _asset("bank.js")),
        ("visit", _asset("visit.js")),
        ("fetch", _asset("fetch.js")),
    )
)


def page_code() -> None:
    """Sends the code of all components to the browser; call it once on each page, first of all.

    A component is sent with all of its code each time its data changes; so that is one line, and
    the code itself, which never changes, is sent once to each visitor.
    """
    _code(key="pyzzicato-code")


def browser_keeps(cookie: str, token: str, link: str = "") -> None:
    """Gives the browser a cookie, and a link, unless it is empty, as the page's address."""
    data = json.dumps({"cookie": cookie, "token": token, "link": link}).encode()
    _visit(key="pyzzicato-visit", data=data)


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
    borders: Sequence[float] = (),
) -> PlayerResult | None:
    """Shows and plays a seed and what follows it, also while that is still being written.

    `border` is where the seed ends and `expected` how much new music was asked for, in seconds;
    the times of `continuation` count from the border. Call it again with the same `key`, `piece`
    and `take` and more notes as they arrive. `made` seconds of new music are complete (None: up to
    the last note's end): while `running`, playing waits there.

    A new `take` keeps the place; a new `piece` starts afresh, and with `autoplay` plays from
    `start_at` seconds once half a second lies ahead and the page has been touched. `height` is the
    roll's in pixels, 0 hides it. With `inside`, notes of the seed may follow the new music;
    `marked` is a stretch to point out, `known` one to underline. In a band each instrument has a
    colour, a sound and a strip to mute it; with `layers` each program has. What comes after each of
    `borders` was written earlier.
    With `offer_continue` there is a button *Continue from here*; the run in which it was pressed
    gets a PlayerResult, every other run None. Nothing else causes a rerun.
    """
    band = is_band(seed, continuation) and not layers
    rows = _in_order(seed, continuation, border, () if band else borders, band)
    header = {
        "take": take, "piece": piece, "border": border, "expected": expected, "running": running,
        "autoplay": autoplay, "start_at": start_at, "height": height, "earlier": bool(borders),
        "offer_continue": offer_continue, "marked": marked, "known": known,
        "made": border + (continuation.duration if made is None else made),
        "until": border + expected if inside else None, "notes": len(rows),
        "band": [n for n in players(seed, continuation) if n != OTHERS] if band and height else [],
    }  # fmt: skip
    data = pack(header, _news(key, running).of((piece, take, band), rows))
    at = _mounted("player", key, data, on_continue_at_change=_nothing).get("continue_at")
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
    return _choose("list", label, cards, chosen, key, on_pick=on_pick)


def takes_row(
    takes: Sequence[NoteSequence],
    chosen: int,
    key: str,
    *,
    seconds: float | None = None,
    layered: bool = False,
    running: bool = False,
) -> int:
    """Several takes as small rolls in a row; returns the index of the chosen one, from 0.

    All are drawn on a stage of `seconds` (None: the longest take), so that growing ones fill it.
    With `layered` each has the colour that it has on the roll when all are played at once. While
    `running` only what is new is sent.
    """
    length = max((take.duration for take in takes), default=0.0) if seconds is None else seconds
    cards = [
        (str(index), f"take {index + 1}", counted(len(take)), take, length, NEW + layered * index)
        for index, take in enumerate(takes)
    ]
    return int(_choose("row", "Takes", cards, str(chosen), key, running=running))


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


def _in_order(
    seed: NoteSequence, new: NoteSequence, border: float, borders: Sequence[float], band: bool
) -> Rows:
    """The rows of both, by when they start; what of the seed was written earlier has its part."""
    old = note_rows(seed, SEED, band)
    if borders:
        begun = np.searchsorted(borders, old[:, 0] + 1e-3)  # how many continuations, by each note
        old[begun > 0, 4] = EARLIER + (begun[begun > 0] - 1) % 2
    rows = np.concatenate([old, note_rows(new, NEW, band, border)])
    return rows[np.argsort(rows[:, 0], kind="stable")]


def _news(key: str, running: bool) -> News:
    """What the component `key` of this visitor has not been sent: all of what does not grow."""
    made: News = st.session_state.setdefault(f"{key}-news", News())
    if not running:
        made.forget()
    return made


def _mounted(name: str, key: str, data: bytes, **callbacks: Any) -> Any:
    """A component, which asks for all of the music where it missed a part of it."""
    callbacks["on_whole_change"] = lambda: _news(key, running=False).forget()
    return _components[name](key=key, data=data, **callbacks)


def _choose(
    layout: str,
    label: str,
    cards: Sequence[tuple[str, str, str, NoteSequence, float | None, int]],
    chosen: str,
    key: str,
    *,
    on_pick: Callable[[str], None] | None = None,
    running: bool = False,
) -> str:
    """Mounts the cards (id, title, subtitle, music, seconds, part); the id that is chosen."""
    # A layered take, whose part comes after NEW, has one colour.
    news = _news(key, running)
    rows = []
    for place, (_, _, _, sequence, _, part) in enumerate(cards):
        band = part <= NEW and is_band(sequence)
        make = partial(note_rows, part=part, band=band)
        rows.append(news.rows((place, part, band), sequence.notes, make))
    sent = [news.of(place, each) for place, each in enumerate(rows)]
    header = {
        "layout": layout,
        "piece": key,
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
                "sent": len(part),
            }
            for (name, title, subtitle, sequence, seconds, _), each, part in zip(
                cards, rows, sent, strict=True
            )
        ],
    }

    def picked() -> None:
        pick = st.session_state[key].get("pick")
        if on_pick is not None and pick is not None:
            on_pick(str(pick))

    data = pack(header, np.concatenate([*sent, np.empty((0, COLUMNS), dtype="<f4")]))
    result = _mounted("cards", key, data, on_pick_change=picked)
    pick = result.get("pick")
    known = {card[0] for card in cards}
    return str(pick) if pick is not None and str(pick) in known else chosen
