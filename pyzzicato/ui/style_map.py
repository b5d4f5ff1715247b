"""The map of styles: a small picture in which a click chooses the nearest one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from pyzzicato.families.band.vae.styles import StyleLibrary

__all__ = ["Label", "drawn", "labelled", "style_map"]

WIDTH, TALLEST, LOWEST = 300.0, 300.0, 160.0  # of the picture
BESIDE, ABOVE = 40.0, 22.0  # room around the outermost styles, for their names
LETTER, LINE = 6.6, 13.0  # how wide a letter is, about, and how tall a name
DOT = 5.0  # half of what a style takes itself
FARTHEST, RING, DIRECTIONS = 96, 8, 24  # where a name may stand that a line leads to

_ASSETS = Path(__file__).parent / "assets"
_map = st.components.v2.component(
    "pyzzicato.style_map",
    html='<svg class="map" role="img">\n</svg>\n',
    css=(_ASSETS / "style_map.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "style_map.js").read_text(encoding="utf-8"),
)


class Label(NamedTuple):
    """A name on the picture: where its text begins, ends or has its middle, as `anchor` says."""

    x: float
    y: float
    anchor: str


Box = tuple[float, float, float, float]  # left, top, right, bottom


def style_map(
    library: StyleLibrary,
    chosen: str,
    key: str,
    on_pick: Callable[[str], None],
    marks: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> None:
    """Shows the training pieces as dots and the styles by name; `chosen` is marked.

    `marks` are other places (x, y) on the map, by name; one outside stands at the edge. A click
    anywhere calls `on_pick` with the name of the style that lies nearest, before the page runs.
    Who has no mouse has the list of the styles.
    """
    if not library.names:
        return

    def picked() -> None:
        pick = st.session_state[key].get("pick")
        if pick in library.names:
            on_pick(str(pick))

    # As bytes: of a dict Streamlit asks whether a table is in it, and loads pandas for that.
    data = json.dumps({**drawn(library, marks), "chosen": chosen}).encode()
    _map(key=key, data=data, on_pick_change=picked)


def drawn(
    library: StyleLibrary, marks: Mapping[str, np.ndarray] = MappingProxyType({})
) -> dict[str, Any]:
    """What the picture is made of: size, the dots as one path, the styles and their names, marks.

    Both directions have one scale, so that what lies nearest on the picture is nearest on the map.
    It holds all styles; pieces far outside are left out.
    """
    height, placed = _frame(np.array(list(library.spots.values())))
    size = np.array([WIDTH, height])
    dots = placed(library.pieces)
    inside = ((dots >= 0) & (dots <= size)).all(axis=1)
    places = {name: placed(np.array(spot)).tolist() for name, spot in library.spots.items()}
    marked = {
        name: np.clip(placed(mark), 2 * DOT, size - 2 * DOT).tolist()
        for name, mark in marks.items()
    }
    labels = labelled(places, WIDTH, height, list(marked.values()))
    return {
        "width": WIDTH,
        "height": height,
        "dots": "".join(f"M{x:.0f} {y:.0f}h0" for x, y in dots[inside].tolist()),
        "spots": [
            {
                "name": name,
                "x": x,
                "y": y,
                "label": [*(labels[name] or Label(x, y - DOT - 3, "middle"))],
                "always": labels[name] is not None,
                "line": _line((x, y), labels[name]),
            }
            for name, (x, y) in places.items()
        ],
        "marks": [{"name": name, "x": x, "y": y} for name, (x, y) in marked.items()],
    }


def _frame(spots: np.ndarray) -> tuple[float, Callable[[np.ndarray], np.ndarray]]:
    """The height of a picture with all `spots` (n, 2), and what puts places of the map on it."""
    low, high = spots.min(axis=0), spots.max(axis=0)
    room = np.array([WIDTH - 2 * BESIDE, TALLEST - 2 * ABOVE])
    scale = float((room / np.maximum(high - low, 1e-6)).min())
    height = max(round(float(high[1] - low[1]) * scale + 2 * ABOVE, 1), LOWEST)

    def placed(places: np.ndarray) -> np.ndarray:
        moved = (places - (low + high) / 2) * np.array([scale, -scale])  # up is up
        on_it: np.ndarray = np.round(moved + np.array([WIDTH / 2, height / 2]), 1)
        return on_it

    return height, placed


def _line(place: tuple[float, float], label: Label | None) -> list[float]:
    """From a place to its name, [x, y, x, y], where that stands apart; empty where it does not."""
    if label is None or label in _beside(*place):
        return []
    return [*place, label.x - 3 if label.anchor == "start" else label.x + 3, label.y - 4]


def labelled(
    places: Mapping[str, Sequence[float]],
    width: float,
    height: float,
    marks: Sequence[Sequence[float]] = (),
) -> dict[str, Label | None]:
    """Where each name stands so that no place (x, y), name or mark is covered.

    Beside its place, or where that has no room as near to it as can be, and a line leads there.
    None where there is no room at all: that name is shown when one points at it.
    """
    taken = [(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in (*places.values(), *marks)]
    found: dict[str, Label | None] = dict.fromkeys(places)
    for choices in (_beside, _around):
        for name, (x, y) in places.items():
            for label in () if found[name] else choices(x, y):
                box = _box(name, label)
                inside = box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height
                if inside and not any(_meet(box, other) for other in taken):
                    found[name] = label
                    taken.append(box)
                    break
    return found


def _beside(x: float, y: float) -> Iterator[Label]:
    yield Label(x + DOT + 3, y + 4, "start")
    yield Label(x - DOT - 3, y + 4, "end")
    yield Label(x, y - DOT - 3, "middle")
    yield Label(x, y + DOT + LINE - 2, "middle")


def _around(x: float, y: float) -> Iterator[Label]:
    """The nearer ones first."""
    for far in range(2 * RING, FARTHEST, RING):
        for turn in np.linspace(0, 2 * np.pi, DIRECTIONS, endpoint=False):
            across, up = far * float(np.cos(turn)), far * float(np.sin(turn))
            anchor = "start" if across >= 0 else "end"
            yield Label(round(x + across, 1), round(y - up + 4, 1), anchor)


def _box(name: str, label: Label) -> Box:
    long = LETTER * len(name)
    left = label.x - {"start": 0.0, "middle": long / 2, "end": long}[label.anchor]
    return (left, label.y - LINE + 3, left + long, label.y + 3)


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
