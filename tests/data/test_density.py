"""How many notes a second music has, in windows."""

from __future__ import annotations

import numpy as np
import pytest

from pyzzicato.data.density import density_table, window_densities
from pyzzicato.data.pieces import Piece


def even_piece(composer: str, seconds: float, per_second: float, first: float = 0.0) -> Piece:
    starts = first + np.arange(0, seconds, 1 / per_second)
    notes = np.stack([starts, starts + 1 / per_second, 0 * starts + 60, 0 * starts + 80], axis=1)
    return Piece(
        path="x.mid",
        composer=composer,
        title="x",
        work="x",
        split="train",
        kind="performance",
        licence="own",
        recordings=1,
        notes=notes.astype(np.float32),
    )


def test_density_counts_whole_windows_inside_the_piece() -> None:
    piece = even_piece("bach", 100, 4, first=7)
    assert window_densities(piece).tolist() == [4.0, 4.0, 4.0]
    assert len(window_densities(even_piece("bach", 29, 4))) == 0
    silent = even_piece("bach", 1, 1)
    silent = Piece(
        **{f: getattr(silent, f) for f in Piece.__slots__ if f != "notes"}, notes=silent.notes[:0]
    )
    assert len(window_densities(silent)) == 0
    with pytest.raises(ValueError, match="more than 0"):
        window_densities(piece, 0)


def test_density_table_has_percentiles_by_composer() -> None:
    pieces = [even_piece("bach", 30, 2), even_piece("bach", 60, 4), even_piece("liszt", 20, 9)]
    table = density_table(pieces)
    assert table == {"bach": {"p10": 2.4, "p50": 4.0, "p90": 4.0, "windows": 3}}
