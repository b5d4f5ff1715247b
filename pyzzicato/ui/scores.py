"""Pictures of the Scores page: plain HTML, in the letters and colours of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from pyzzicato.reports.score_tables import Scored, best

__all__ = [
    "curve_plot",
    "gap_plot",
    "overlap_plot",
    "tiles",
]

SIDES = ("real", "new")
OVERLAPS = ("overlap", "overlap_new")
THIN = 0.008  # half a line, of the height of a curve


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
