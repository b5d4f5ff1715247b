"""The table of all bands on the Scores page, of figures made up here."""

from __future__ import annotations

from typing import Any

from pyzzicato.reports.band_sheets import band_table
from pyzzicato.reports.score_tables import Scored


def figures(density: float | None, varied: float) -> dict[str, Any]:
    def side(value: float | None) -> dict[str, Any]:
        row = {"value": value, "low": value, "high": value, "windows": 9}
        names = ("density", "empty_bars", "pitch_classes", "drum_pattern", "tonal_distance")
        table: dict[str, Any] = {name: {} for name in names}
        return {**table, "density": {"Bass": row}, "change": {"All five": row}}

    return {
        "alike": {"new": {"met": 3, "of": 22}},
        "measures": {"new": side(density), "real": side(4.0)},
        "variety": {
            "real": {"notes": 0.5, "feel": 0.5},
            "new": {w: {"notes": varied, "feel": 0.5} for w in ("starts", "one")},
        },
    }


def test_the_nearest_to_real_music_is_marked() -> None:
    models = [
        Scored("a", "Ay", ("band",), {}, "", figures(4.5, 0.5)),
        Scored("piano", "Piano", ("performance",), {}, ""),
        Scored("b", "Bee", ("band:even",), {}, "", figures(2.0, 0.3)),
        Scored("c", "Sea", ("band",), {}, "", figures(None, 0.3)),
    ]
    table = band_table(models)
    assert table.head == ("measure", "of", "Ay", "Bee", "Sea")
    assert table.rows[0] == ("measures like real music", "", "3 of 22", "3 of 22", "3 of 22")
    assert table.rows[1][1:3] == ("from 100 openings, by notes", "1.00")
    density = next(n for n, row in enumerate(table.rows) if row[0] == "struck notes a bar")
    assert table.rows[density][1:] == ("Bass", "4.5 (4.0 to 4.0)", "2.0 (4.0 to 4.0)", "none")
    assert {column for row, column in table.marked if row == density} == {2}
    assert {column for row, column in table.marked if row == 1} == {2}
    assert band_table(models[1:2]).head == ("measure", "of")
