"""What the page and the card say of the classifier, and published figures beside ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pyzzicato.evaluation import recognition
from pyzzicato.evaluation.classifier.network import Classifier
from pyzzicato.registry import models
from pyzzicato.reports.published import NOT_COMPARABLE, beside_published
from pyzzicato.reports.recognition_tables import (
    about_classifier,
    classifier_card,
    confusions,
    recognised,
)
from pyzzicato.reports.score_tables import Scored, absences
from tests.small_model import make_model
from tests.test_score_tables import sheet
from tests.visits import open_app, problems, words

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
    return Scored(name, name.title(), ("performance",), clips, "")


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


def test_published_figures_stand_beside_those_that_were_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = {"note": {"accuracy": 0.188}, "duration": {"accuracy": 0.905}}
    tokens = {"train": {"network": right}, "test": {"network": right}}
    letters = {"train": {"accuracy": 0.868}, "test": {"accuracy": 0.626}}
    events = {
        "nats_per_event": 2.688, "notes": 48070, "of": "ASAP performances",
        "published_on_whole_maestro": [1.84, 1.99],
    }  # fmt: skip
    sheets = {
        "note_duration_lstm": {"tokens": tokens},
        "char_rnn_jigs": {"text": {"checkpoints": {"90": letters}}},
        "transformer": {"likelihood": {"test": {"events": events}}},
        "lstm": {"tokens": tokens},
    }
    for name, metrics in sheets.items():
        make_model(tmp_path / name)
        (tmp_path / name / "metrics.json").write_text(json.dumps(metrics))
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    table = beside_published(models(), MEASURED)
    assert len(table.rows) == 4
    text = "\n".join(" | ".join(row) for row in table.rows)
    assert "18.8% / 90.5% on training music" in text
    assert "86.8% on training music, 62.6% on unheard tunes" in text
    assert "1.84 to 1.99 (Music Transformers on MAESTRO) | 2.69 on 48,070 notes" in text
    assert "50.0% of clips over 2 composers" in text
    assert beside_published({}).rows == ()


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
