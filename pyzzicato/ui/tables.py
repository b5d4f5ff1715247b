"""Tables of figures: plain HTML that scrolls sideways by itself where the window is narrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from types import MappingProxyType

import streamlit as st

from pyzzicato.reports.tables import Table

__all__ = ["show_matrix", "show_table", "style"]

_SHEET = Path(__file__).parent / "assets" / "scores.css"


@cache
def _sheet() -> str:
    return f"<style>{_SHEET.read_text(encoding='utf-8')}</style>"


def style() -> None:
    """Puts the style sheet of tables and pictures on the page; call it once."""
    st.html(_sheet())


def show_table(
    table: Table,
    *,
    wrapped: bool = False,
    names: int = 1,
    links: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """A table that scrolls sideways by itself where the window is narrow.

    The first `names` columns (1 or 2) say what a row is of: they stay in sight there. With
    `wrapped` its cells hold sentences, which are broken into lines. A cell whose text is in
    `links` leads there.
    """
    kind = "pz-scores" + " pz-wrapped" * wrapped + " pz-names" * (names > 1)
    head = "".join(_cell(cell, c < names, "th") for c, cell in enumerate(table.head))
    body = []
    for r, row in enumerate(table.rows):
        cells = (
            f'<td class="best">{escape(cell)} <small>best</small></td>'
            if (r, c) in table.marked
            else _cell(cell, c < names, link=links.get(cell, ""))
            for c, cell in enumerate(row)
        )
        body.append(f"<tr>{''.join(cells)}</tr>")
    st.html(
        f'<div class="pz-scroll"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _cell(text: str, name: bool, kind: str = "td", link: str = "") -> str:
    """A cell; an empty one is no heading."""
    tag, shown = kind if text else "td", escape(text)
    if link:
        shown = f'<a href="{escape(link)}">{shown}</a>'
    return f"<{tag}{' class=name' if name else ''}>{shown}</{tag}>"


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
        '<td class="name"></td>'
        f"{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )
