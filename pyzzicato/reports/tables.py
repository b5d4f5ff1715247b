"""Tables of words, and their form in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Row", "Table", "markdown"]

Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Cells in words, row by row below `head`; `marked` are the (row, column) of the best."""

    head: Row
    rows: tuple[Row, ...]
    marked: frozenset[tuple[int, int]] = frozenset()


def markdown(table: Table) -> str:
    """The table in Markdown; nothing where it has no rows."""
    if not table.rows:
        return ""
    lines = [_line(table.head), "|" + "---|" * len(table.head), *map(_line, table.rows)]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
