"""Sheets of scores: tables, the figure that says most, models side by side, published figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyzzicato.evaluation.run import write_metrics
from pyzzicato.metrics.scores import MODEL, REAL, Measure, Score, Sheet, rows
from pyzzicato.registry import ModelInfo, models
from pyzzicato.reports.sheets import best_figure, comparisons, published, sheet_table, sheets_of
from tests.small_model import make_model

BITS, RIGHT = Measure("bits", better="lower"), Measure("right", ".1%", "higher")


def sheet(mine: float, right: float | None = 0.5, **changes: Any) -> Sheet:
    scores = (
        Score("bits", mine, group="scores", error=0.0512),
        Score("right", right, group="scores"),
        *rows({"bits": mine - 1, "right": 0.25}, group="scores", split="val"),
        *rows({"bits": 9.0, "right": 0.125}, by="Markov model", group="scores"),
    )
    told = Sheet("How well", "On 9 notes.", (BITS, RIGHT), scores, "kind", rival="Markov model")
    return replace(told, **changes)


def band(density: float | None, real: float | None = 4.0) -> Sheet:
    measure = Measure("notes a bar", ".1f", "real")
    return Sheet(
        "Like", "Of 9.", (measure,),
        (
            Score("notes a bar", density, group="Bass", low=1.0, high=5.0),
            Score("notes a bar", real, REAL, "Bass", low=3.5, high=4.5),
            Score("notes a bar", 1.0, "a form of its own", "Bass"),
        ),
        across=("by",),
    )  # fmt: skip


def test_the_rows_of_a_sheet_are_those_of_its_table() -> None:
    table = sheet_table(sheet(5.0, None))
    assert table.head == ("kind", "music", "told by", "bits", "right")
    assert table.rows == (
        ("scores", "test", MODEL, "5.00 ± 0.05", "none"),
        ("scores", "validation", MODEL, "4.00", "25.0%"),
        ("scores", "test", "Markov model", "9.00", "12.5%"),
    )


def test_splits_or_predictors_may_stand_side_by_side() -> None:
    table = sheet_table(sheet(5.0, across=("measure", "split")))
    head = ("kind", "told by", "bits, test", "bits, validation", "right, test", "right, validation")
    assert table.head == head
    assert table.rows[1] == ("scores", "Markov model", "9.00", "", "12.5%", "")
    beside = sheet_table(band(4.25))
    assert beside.head == ("of", MODEL, REAL, "a form of its own")
    assert beside.rows == (("Bass", "4.2 (1.0 to 5.0)", "4.0 (3.5 to 4.5)", "1.0"),)


def test_what_has_no_parts_goes_by_its_measures() -> None:
    alone = replace(sheet(5.0), scores=tuple(rows({"bits": 5.0, "right": 0.5})))
    assert sheet_table(alone).rows == (("bits", "5.00"), ("right", "50.0%"))


def test_the_first_row_says_most_beside_the_one_to_beat() -> None:
    assert best_figure([]) == "not measured yet"
    assert best_figure([sheet(5.0), band(1.0)]) == "5.00 bits of scores (Markov model: 9.00)"
    assert best_figure([sheet(5.0, rival="")]) == "5.00 bits of scores"


def test_models_are_compared_where_the_same_was_measured() -> None:
    other = sheet(2.0, note="On 8 notes.")
    known = {"Ay": [sheet(5.0)], "Bee": [sheet(5.5, 0.5), band(4.0)], "Sea": [other, band(1.0)]}
    told, like = comparisons(known)
    assert told.heading == "How well"
    assert told.table.head == ("measure", "Ay", "Bee", "Markov model")
    assert told.table.rows == (
        ("bits, scores", "5.00 ± 0.05", "5.50 ± 0.05", "9.00"),
        ("right, scores", "50.0%", "50.0%", "12.5%"),
    )
    assert told.table.marked == {(0, 1)}, "where all are as good none is the best"
    assert like.table.head == ("measure", "Bee", "Sea", REAL, "a form of its own")
    assert like.table.marked == {(0, 1)}
    assert list(comparisons({"Ay": [sheet(5.0)]})) == []


def test_the_best_is_the_nearest_to_real_music() -> None:
    def marked(*densities: float | None, real: float | None = 4.0) -> set[int]:
        known = {str(n): [band(density, real)] for n, density in enumerate(densities)}
        (found,) = comparisons(known)
        return {column - 1 for _, column in found.table.marked}

    assert marked(4.5, 2.0, None) == {0}
    assert marked(6.0, 3.0) == {1}
    assert marked(4.51, 4.54, 9.0) == {0, 1}, "as it is written"
    assert marked(4.5, 2.0, real=None) == set()


def test_a_sheet_is_kept_in_the_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_model(tmp_path / "small")
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    known = (sheet(5.0, None), band(None), sheet(1.0, across=("measure", "split")))
    write_metrics(models()["small"], {"scores": [each.plain() for each in known]})
    info = models()["small"]
    assert sheets_of(info.metrics) == known
    text = (info.folder / "metrics.json").read_text()
    assert '{"by": "Markov model", "group": "scores", "measure": "bits", "value": 9.0}' in text
    assert json.loads(text)["weights"].keys() == {"scores"}


def test_published_figures_stand_beside_all_splits(tmp_path: Path) -> None:
    told = {"what": "share", "figure": "10%", "measure": "right", "group": "scores", "near": "Far."}
    absent = {**told, "group": "performances"}
    info = ModelInfo(
        "toy", tmp_path, "toy", "Toy", "A toy.", "Us", 2021, (), card={"published": [told, absent]}
    )
    table = published(info, [sheet(5.0)])
    assert table.rows == (("share", "10%", "50.0% (test), 25.0% (validation)", "Far."),)
    assert published(info, []).rows == ()


@pytest.mark.parametrize("info", models().values(), ids=lambda info: info.id)
def test_every_shipped_sheet_can_be_shown(info: ModelInfo) -> None:
    known = sheets_of(info.metrics)
    assert known
    assert known[0].scores[0].by == MODEL
    for each in known:
        names = [measure.name for measure in each.measures]
        assert {score.measure for score in each.scores} == set(names)
        table = sheet_table(each)
        assert {len(row) for row in table.rows} == {len(table.head)}
    figures = [score for score in known[0].scores if score.by == known[0].rival]
    assert bool(figures) == bool(known[0].rival)
    assert len(published(info, known).rows) == len(info.card.get("published", ()))
