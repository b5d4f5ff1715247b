"""What a scorer found, by the names of the measures."""

from __future__ import annotations

from typing import Any

from pyzzicato.metrics.scores import MODEL, Sheet


def figures(sheet: Sheet, by: str = MODEL, group: str = "", split: str = "test") -> dict[str, Any]:
    """The values of one row of a sheet's table."""
    return {
        score.measure: score.value
        for score in sheet.scores
        if (score.by, score.group, score.split) == (by, group, split)
    }
