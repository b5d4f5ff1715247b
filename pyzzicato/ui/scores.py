"""Pictures and tables of the Scores page: plain HTML, in the letters and colours of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from pyzzicato.score_tables import Scored, Table, best

__all__ = [
    "curve_plot",
    "gap_plot",
    "overlap_plot",
    "show_matrix",
    "show_table",
    "style",
    "tiles",
]

_SHEET = Path(__file__).parent / "assets" / "scores.css"
SIDES = ("real", "new")
OVERLAPS = ("overlap", "overlap_new")
THIN = 0.008  # half a line, of the height of a curve


@cache
def _sheet() -> str:
    return f"<style>{_SHEET.read_text(encoding='utf-8')}</style>"


def style() -> None:
    """Puts the style sheet of tables and pictures on the page; call it once."""
    st.html(_sheet())


def show_table(table: Table, *, wrapped: bool = False, names: int = 1) -> None:
    """A table that scrolls sideways by itself where the window is narrow.

    The first `names` columns (1 or 2) say what a row is of: they stay in sight there. With
    `wrapped` its cells hold sentences, which are broken into lines.
    """
    kind = "pz-scores" + " pz-wrapped" * wrapped + " pz-names" * (names > 1)
    head = "".join(
        f"<th{_named(c < names)}>{escape(cell)}</th>" for c, cell in enumerate(table.head)
    )
    body = []
    for r, row in enumerate(table.rows):
        cells = (
            f'<td class="best">{escape(cell)} <small>best</small></td>'
            if (r, c) in table.marked
            else f"<td{_named(c < names)}>{escape(cell)}</td>"
            for c, cell in enumerate(row)
        )
        body.append(f"<tr>{''.join(cells)}</tr>")
    st.html(
        f'<div class="pz-scroll"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _named(name: bool) -> str:
    return ' class="name"' if name else ""


def show_matrix(names: Sequence[str], matrix: Sequence[Sequence[int]]) -> None:
    """Counts by (row, column), the darker the larger their part of the row."""
    head = "".join(f"<th><span>{escape(name)}</span></th>" for name in names)
    body = []
    for name, row in zip(names, matrix, strict=True):
        total = max(sum(row), 1)
        cells = (f'<td style="--part:{count / total:.2f}">{count or ""}</td>' for count in row)
        body.append(f'<tr><th class="name">{escape(name)}</th>{"".join(cells)}</tr>')
    st.html(
        '<div class="pz-scroll"><table class="pz-scores pz-matrix"><thead><tr>'
        '<th class="name"></th>'
        f"{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def tiles(pictures: Sequence[tuple[str, str, str]]) -> None:
    """Pictures (heading, remark, HTML) side by side, as many as there is room for."""
    cells = "".join(
        f"<figure><figcaption>{escape(heading)}<small>{escape(remark)}</small></figcaption>"
        f"{picture}</figure>"
        for heading, remark, picture in pictures
    )
    st.html(f'<div class="pz-tiles">{cells}</div>')


def gap_plot(models: Sequence[Scored], name: str) -> str:
    """One measure: what each model writes, the real music, and the gap with its ceiling."""
    rows = [(m, m.row("measures", name)) for m in models if m.row("measures", name)]
    ends = [row[side][end] for _, row in rows for side in SIDES for end in ("low", "high")]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    winners = best(models, lambda m: (m.row("measures", name).get("gap") or {}).get("value"))
    lines = []
    for model, row in rows:
        said = f"{row['gap']['value']:.2f}" if row["gap"] else "none"
        said += f" ({row['ceiling']:.2f})" if row["ceiling"] is not None else ""
        bars = "".join(_bar(row[side], low, high, side) for side in SIDES)
        lines.append(_line(model.title, bars, said, model.id in winners))
    return "".join(lines) + _ends(low, high)


def overlap_plot(models: Sequence[Scored], name: str) -> str:
    """One feature: Overlapping Area both ways, from 0 to 1, and the ceiling as a dashed line."""

    def smaller(model: Scored) -> float | None:
        row = model.row("features", name)
        found = [row[key]["value"] for key in OVERLAPS if row and "value" in row[key]]
        return min(found) if len(found) == len(OVERLAPS) else None

    winners = best(models, smaller, lower=False)
    lines = []
    for model in models:
        row, value = model.row("features", name), smaller(model)
        if not row:
            continue
        bars = "".join(
            _bar({**row[key], "mean": row[key]["value"]}, 0.0, 1.0, f"{side} {place}")
            for key, side, place in zip(OVERLAPS, SIDES, ("above", "below"), strict=True)
            if "value" in row[key]
        )
        if row["overlap"]["ceiling"] is not None:
            bars += f'<u style="left:{row["overlap"]["ceiling"]:.1%}"></u>'
        said = "none" if value is None else f"{value:.2f}"
        lines.append(_line(model.title, bars, said, model.id in winners))
    return "".join(lines) + _ends(0.0, 1.0)


def curve_plot(curve: Mapping[str, Any], seconds: float, highest: float) -> str:
    """Notes a second over time: real and new, each the mean and the middle half."""
    shapes = []
    for side in SIDES:
        row = curve.get(side)
        if not row:
            continue
        low, mean, high = ([value / highest for value in row[k]] for k in ("low", "mean", "high"))
        shapes.append(_shape(f"{side} band", low, high))
        around = ([value + sign * THIN for value in mean] for sign in (-1, 1))
        shapes.append(_shape(side, *around))
    end = f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
    return (
        f'<div class="curve"><em>{highest:.0f}</em>{"".join(shapes)}</div>'
        f'<div class="time"><span>0:00</span><span>{end}</span></div>'
    )


def _shape(kind: str, low: Sequence[float], high: Sequence[float]) -> str:
    """What lies between two curves, their values from 0 to 1."""
    across = [(n + 0.5) / len(low) for n in range(len(low))]
    edge = [*zip(across, low, strict=True), *reversed(list(zip(across, high, strict=True)))]
    points = ", ".join(f"{x:.2%} {1 - y:.2%}" for x, y in edge)
    return f'<i class="{kind}" style="clip-path:polygon({points})"></i>'


def _bar(row: Mapping[str, float], low: float, high: float, kind: str) -> str:
    """A 95 % interval with its mean: a wide bar for real music, a line with a dot for new."""

    def at(value: float) -> float:
        return (value - low) / (high - low) if high > low else 0.5

    left, middle, right = (at(row[key]) for key in ("low", "mean", "high"))
    return (
        f'<i class="{kind}" style="left:{left:.1%};width:{right - left:.1%}"></i>'
        f'<b class="{kind}" style="left:{middle:.1%}"></b>'
    )


def _line(title: str, bars: str, said: str, is_best: bool) -> str:
    kind = ' class="best"' if is_best else ""
    return (
        f'<div class="line"><span title="{escape(title)}">{escape(title)}</span>'
        f'<span class="track">{bars}</span><span{kind}>{escape(said)}</span></div>'
    )


def _ends(low: float, high: float) -> str:
    ends = f"<span>{low:.3g}</span>" + (f"<span>{high:.3g}</span>" if high > low else "")
    return f'<div class="line"><span></span><span class="ends">{ends}</span><span></span></div>'
