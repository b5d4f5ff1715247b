"""What the page and the card say of the classifier, and published figures beside ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pyzzicato.evaluation import recognition
from pyzzicato.evaluation.classifier.network import Classifier
from pyzzicato.metrics.scores import Measure, Sheet, rows
from pyzzicato.registry import models
from pyzzicato.reports.published import NOT_COMPARABLE, beside_published
from pyzzicato.reports.recognition_tables import (
    about_classifier,
    classifier_card,
    confusions,
    recognised,
)
from pyzzicato.reports.score_tables import Scored, absences
from tests.reports.test_score_tables import sheet
from tests.small_model import make_model
from tests.ui.visits import open_app, problems, words

MEASURED: dict[str, Any] = {
    "composers": ["chopin", "bach"], "folds": 5, "clip_seconds": 20.0, "clips": 1300,
    "clips_right": 0.5, "works": 20, "works_right": 0.65, "main_composers": 2, "main_works": 20,
    "main_works_right": 0.7, "matrix": [[6, 4], [3, 7]],
}  # fmt: skip
SIDE = {"mean": 0.41, "low": 0.352, "high": 0.478, "n": 96}
FOUND: dict[str, Any] = {
    "classifier": "abc", "composers": 16, "real": SIDE, "new": SIDE, "seeds": SIDE,
    "asked": SIDE, "seed": {}, "by_group": {},
    "distance": {"value": 2.5, "low": 2.0, "high": 3.0, "ceiling": 1.25, "n": 48},
}  # fmt: skip


def scored(name: str, found: dict[str, Any]) -> Scored:
    clips = {**sheet(0.3, 0.8), **({"recognition": found} if found else {})}
    return Scored(name, name.title(), ("performance",), clips)


def test_recognition_is_a_row_a_model() -> None:
    better = {**FOUND, "new": {**SIDE, "mean": 0.6}}
    table = recognised([scored("one", FOUND), scored("none", {}), scored("two", better)])
    assert [row[0] for row in table.rows] == ["One", "Two"]
    assert table.rows[0][1] == "41% (35% to 48%, n 96)"
    assert table.rows[0][5:] == ("not asked", "6%", "2.50 ± 0.50 (1.25)")
    assert table.marked == {(1, 2)}, "as far from real music, but more often recognised"
    assert "not asked yet" in " ".join(absences([scored("none", {})]))
    assert "not asked yet" not in " ".join(absences([scored("one", FOUND)]))


def test_the_classifier_says_what_it_reaches() -> None:
    said = about_classifier(MEASURED)
    assert "50% of 1,300 clips" in said
    assert "70% of 20 works; 80% were wanted, so it is not a judge to rely on." in said
    assert "rely on" not in about_classifier({**MEASURED, "main_works_right": 0.83})
    assert "wanted" not in about_classifier({**MEASURED, "main_works_right": None})
    assert confusions(MEASURED) == (("Chopin", "Bach"), [[6, 4], [3, 7]])
    card = classifier_card(MEASURED)
    assert "| Chopin | **6** | 4 | 60% |" in card
    assert said in card


def test_the_card_in_the_docs_is_that_of_the_classifier(project: Path) -> None:
    kept = project / "pyzzicato" / "assets" / "classifier.json"
    card = (project / "docs" / "classifier.md").read_text(encoding="utf-8")
    assert card == classifier_card(json.loads(kept.read_text(encoding="utf-8")))


def test_published_figures_and_the_classifiers_are_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model(tmp_path / "small")
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    told = {"what": "share", "figure": "10%", "measure": "right", "group": "", "near": "Far."}
    info = replace(models()["small"], title="Small", card={"published": [told]})
    scores = Sheet("", "", (Measure("right", ".0%"),), tuple(rows({"right": 0.25})))
    (info.folder / "metrics.json").write_text(json.dumps({"scores": [scores.plain()]}))
    table = beside_published([info, models()["small"]], MEASURED)
    assert len(table.rows) == 2
    assert table.rows[0] == ("Small: share", "10%", "25% (test)", "Far.")
    text = " | ".join(table.rows[1])
    assert "50.0% of clips over 2 composers" in text
    assert beside_published([]).rows == ()


def test_the_page_shows_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_model(tmp_path / "small")
    clips = {**sheet(0.3, 0.8), "recognition": FOUND}
    (tmp_path / "small" / "metrics.json").write_text(json.dumps({"clips": clips}))
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    monkeypatch.setattr(
        recognition, "classifier_here", lambda: Classifier(("chopin", "bach"), MEASURED, None)
    )
    app: AppTest = open_app().switch_page("pages/4_Scores.py").run()
    assert problems(app) == []
    said = words(app)
    assert about_classifier(MEASURED) in said
    assert all(sentence in said for sentence in NOT_COMPARABLE)
    assert "2.50 ± 0.50 (1.25)" in said
    assert "F1 0.83 over 13 composers" in said
