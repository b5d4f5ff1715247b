"""What the flagship's generator wants to know of its training music, for training.json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyzzicato.data.density import course_table, density_table, steadiness_table
from pyzzicato.data.pieces import Piece
from pyzzicato.families.transformer.processors.articulation import touch_table
from pyzzicato.families.transformer.processors.register import register_table

__all__ = ["note_statistics"]


def note_statistics(pieces: Sequence[Piece]) -> dict[str, Any]:
    """How dense, steady, high and connected each composer's music is."""
    return {
        "density": {name: row["p50"] for name, row in density_table(pieces).items()},
        "course": course_table(pieces),
        "steadiness": steadiness_table(pieces),
        "register": register_table(pieces),
        "touch": touch_table(pieces),
    }
