"""The Scores page and what it says, with sheets made up here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pyzzicato.evaluation.score_sheet import MEASURES
from pyzzicato.metrics.scores import Measure, Score, Sheet
from pyzzicato.metrics.yang_lerch import FEATURES
from pyzzicato.reports.score_tables import (
    Scored,
    absences,
    best,
    by_kind,
    likeness_table,
    overview,
    scored,
)
from pyzzicato.ui.scores import curve_plot, gap_plot, overlap_plot
from tests.small_model import make_model
from tests.ui.visits import open_app, problems, words


def sheet(gap: float, overlap: float) -> dict[str, Any]:
    side = {"mean": 2.0, "low": 1.0, "high": 3.0, "n": 9}
    whole = {"value": gap, "low": gap, "high": gap}
    row = {"real": side, "new": side, "gap": whole, "ceiling": 0.2, "undefined": 0}
    alike = {
        name: {"value": overlap, "low": overlap, "high": overlap, "ceiling": 0.9}
        for name in (
            "overlap", "overlap_new", "divergence", "divergence_back", "published_overlap",
        )
    }  # fmt: skip
    curve = {"mean": [5.0] * 12, "low": [4.0] * 12, "high": [6.0] * 12, "n": 9}
    return {
        "composite": overlap, "clips": 9, "long_clips": 3, "seconds": 30.0, "groups": {"bach": 9},
        "without_real_music": ["satie"], "without_seeds": [],
        "measures": dict.fromkeys(MEASURES, row), "features": dict.fromkeys(FEATURES, alike),
        "curve": {"real": curve, "new": curve},
    }  # fmt: skip


def model(name: str, clips: dict[str, Any], kind: str = "performance") -> Scored:
    return Scored(name, name.title(), (kind,), clips)


ALL = [
    model("near", sheet(0.3, 0.8)),
    model("far", sheet(0.7, 0.6)),
    model("tunes", sheet(0.1, 0.9), "abc"),
    model("new", {}),
]


def test_the_best_is_found_among_those_of_one_kind() -> None:
    assert best(ALL, lambda m: m.clips.get("composite"), lower=False) == {"near"}
    assert best(ALL, lambda m: m.row("measures", "polyphony").get("ceiling")) == set(), "all alike"
    assert best(ALL[2:], lambda m: m.clips.get("composite")) == set(), "only one"


def test_the_overview() -> None:
    table = overview(ALL)
    assert [row[0] for row in table.rows] == ["Near", "Far", "Tunes", "New"]
    assert table.rows[0][1:5] == ("0.80", "0.30 (0.20)", "0.80 (0.90)", "9 of 30 s")
    assert table.rows[3][1:5] == ("not measured", "not measured", "not measured", "")
    assert table.marked == {(0, 1), (0, 2), (0, 3)}


def test_every_feature_in_a_table() -> None:
    table = likeness_table(ALL, {"pitch_range": "range"})
    assert len(table.rows) == 3
    assert table.rows[0][:3] == ("range", "Near", "0.80 (0.90)")
    assert (0, 2) in table.marked
    assert (1, 4) in table.marked, "a smaller divergence is better"


def test_what_was_not_measured_is_said() -> None:
    said = absences([*ALL, model("quiet", {"skipped": "there is no such music"})])
    assert "New: nothing of what it writes has been measured yet." in said
    assert "Quiet: there is no such music." in said
    assert "Near, Satie: there is no real music that it was not trained on." in said
    said = absences([model("five", sheet(0.1, 0.5), "band:even")])
    assert any(line.startswith("Five: whether passages stand in") for line in said)
    assert not any("passages" in line for line in absences(ALL[:2]))
    brief = sheet(0.1, 0.5)
    brief["measures"] = {"polyphony": brief["measures"]["polyphony"]}
    assert any("two minutes long" in line for line in absences([model("brief", brief)]))
    assert not any("two minutes long" in line for line in absences(ALL))


def test_pictures() -> None:
    picture = gap_plot(ALL, "polyphony")
    assert picture.count('class="track"') == 3
    assert "0.30 (0.20)" in picture
    assert '<span class="best">0.30 (0.20)</span>' in picture
    assert "0.80" in overlap_plot(ALL, "pitch_range")
    shapes = curve_plot(ALL[0].clips["curve"], 120.0, 10.0)
    assert shapes.count("polygon(") == 4
    assert "4.17% 60.00%" in shapes, "4 of 10 notes a second"
    assert "2:00" in shapes
    odd = [Scored("a", "<b>", (), sheet(0.1, 0.5))]
    assert "<b>" not in gap_plot(odd, "polyphony").replace("<b class", "")
    assert gap_plot([ALL[3]], "polyphony").count('class="track"') == 0


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for order, name in enumerate(("near", "far", "new")):
        make_model(tmp_path / name, title=name.title(), order=order)
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    return tmp_path


def page() -> AppTest:
    return open_app().switch_page("pages/4_Scores.py").run()


def test_the_page_without_any_figure(shelf: Path) -> None:
    said = words(page())
    assert "Near: nothing of what it writes has been measured yet." in said
    assert "Beside real music" not in said
    assert "Side by side" not in said


def test_the_page_with_figures(shelf: Path) -> None:
    told = Sheet("How well", "On 9.", (Measure("bits", better="lower"),), (Score("bits", 5.25),))
    for name, clips in (("near", sheet(0.3, 0.8)), ("far", sheet(0.7, 0.6))):
        metrics = {"clips": clips, "scores": [told.plain()]}
        (shelf / name / "metrics.json").write_text(json.dumps(metrics))
    app = page()
    assert problems(app) == []
    said = words(app)
    assert all(about.capitalize()[1:] in said for about, _ in MEASURES.values())
    assert "0.30 (0.20)" in said
    assert "Side by side" in said
    assert said.count("5.25") == 4, "in the overview and side by side"
    assert "New: nothing of what it writes has been measured yet." in said


def test_a_damaged_file_is_told(shelf: Path) -> None:
    (shelf / "far" / "metrics.json").write_text("{")
    assert "metrics.json of the model far is damaged" in problems(page())[0]


def test_the_shipped_figures_can_be_shown(project: Path) -> None:
    from pyzzicato.registry import models

    known = scored(models(project / "models").values())
    assert len(overview(known).rows) == len(known)
    tables = [overview(models_of_it) for models_of_it in by_kind(known).values()]
    assert sum(len(table.rows) for table in tables) == len(known)
    for table in tables:
        for column, better in ((1, max), (2, min), (3, max)):
            figures = [float(row[column].split(" ")[0]) for row in table.rows]
            marked = {figures[row] for row, place in table.marked if place == column}
            assert marked <= {better(figures)}, "the best of a table is its best figure"
    for each in known:
        for name in each.clips.get("measures", {}):
            assert name in MEASURES
            assert gap_plot(known, name)
