"""Whether a model's music sounds of the composer it was asked for, with a classifier by rule."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.evaluation import recognition as module
from pyzzicato.evaluation import score_sheet as sheets
from pyzzicato.evaluation.classifier.network import HIDDEN, Classifier
from pyzzicato.evaluation.clip_writing import new_clips
from pyzzicato.evaluation.clips import Clip, Plan
from pyzzicato.evaluation.recognition import Others, recognition, swapped, with_others
from pyzzicato.evaluation.run import misfits, write_metrics
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo, model_info
from tests.small_model import make_model

COMPOSERS = ("bach", "chopin", "satie")
LOW = {"bach": 30, "chopin": 60, "satie": 90}


class ByRegister:
    """A graph that names a composer by the height of the notes."""

    def advance(
        self, given: Mapping[str, np.ndarray], state: dict[str, Any]
    ) -> tuple[np.ndarray, dict[str, Any]]:
        height = given["features"][:, 0]
        hidden = np.zeros((len(height), HIDDEN), np.float32)
        hidden[:, 0] = height
        scores = [-np.abs(height - LOW[name] - 4) for name in COMPOSERS]
        return np.concatenate([hidden, np.stack(scores, axis=1)], axis=1), state


@pytest.fixture(autouse=True)
def by_height(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read of a piece is its height alone, nothing without notes."""

    def clips_of(piece: NoteSequence) -> np.ndarray:
        return np.array([[np.mean([n.pitch for n in piece])]] if len(piece) else [], np.float32)

    monkeypatch.setattr(module, "clips_of", clips_of)


CLASSIFIER = Classifier(COMPOSERS, {}, ByRegister(), "abc")


def clip(group: str, number: int, like: str = "") -> Clip:
    dice = np.random.default_rng([number, len(group)])
    first = LOW[like or group]
    notes = tuple(Note(n / 4, n / 4 + 0.2, first + int(dice.integers(8))) for n in range(40))
    return Clip(NoteSequence(notes), group, f"{group} {number // 2}")


def clips(group: str, count: int = 8, like: str = "") -> list[Clip]:
    return [clip(group, n, like) for n in range(count)]


def test_who_is_named_and_how_far_it_is() -> None:
    real = [*clips("bach"), *clips("chopin")]
    new = [*clips("bach"), *clips("chopin", 4), *clips("chopin", 4, "satie")]
    others = Others({"bach": clips("bach", 4, "chopin")}, {"bach": "chopin"})
    found = recognition(CLASSIFIER, real, new, others, np.random.default_rng(1))
    assert (found["classifier"], found["composers"]) == ("abc", 3)
    assert (found["real"]["mean"], found["new"]["mean"], found["new"]["n"]) == (1.0, 0.75, 16)
    assert (found["asked"]["mean"], found["seed"]["mean"]) == (1.0, 0.0)
    assert found["by_group"]["chopin"] == {"real": 1.0, "new": 0.5}
    assert found["seeds"]["n"] > 3, "the built-in seeds of both"
    distance = found["distance"]
    assert distance["value"] > 5 * distance["ceiling"]
    same = recognition(CLASSIFIER, real, real, others, np.random.default_rng(1))["distance"]
    assert same["value"] < 2 * same["ceiling"], "no further than real halves"


def test_what_cannot_be_told_is_left_out() -> None:
    silent = [Clip(NoteSequence(), "bach", "x")]
    nobody = [Clip(clip("bach", 1).sequence, "joplin", "x")]
    found = recognition(CLASSIFIER, silent, nobody, Others({}, {}), np.random.default_rng(1))
    assert (found["real"], found["new"], found["asked"], found["distance"]) == ({}, {}, {}, {})
    json.dumps(found, allow_nan=False)


def test_each_composer_is_swapped_with_another() -> None:
    for count in range(2, 6):
        names = [str(n) for n in range(count)]
        moved = swapped(names)
        assert sorted(moved) == sorted(moved.values()) == names
        assert all(name != other for name, other in moved.items())
    assert swapped(["alone"]) == {}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelInfo:
    make_model(tmp_path / "models" / "small", composers=("bach", "chopin"))
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))
    return model_info("small")


def test_another_composer_can_be_asked_for(small: ModelInfo, tmp_path: Path) -> None:
    plan, nothing = Plan(6.0, 2), Dataset((), (), Path())
    usual = new_clips(small, nothing, plan, {"bach": 2}, tmp_path / "usual", print)
    other = new_clips(
        small, nothing, plan, {"bach": 2}, tmp_path / "other", print, {"bach": "chopin"}
    )
    assert [c.source for c in usual["bach"]] == [c.source for c in other["bach"]]
    assert {c.group for c in other["bach"]} == {"bach"}
    assert [c.sequence for c in usual["bach"]] != [c.sequence for c in other["bach"]]
    counts = {"bach": 5, "chopin": 4}
    moved = with_others(small, nothing, plan, counts, tmp_path / "moved", print)
    assert {name: len(clips) for name, clips in moved.clips.items()} == {"bach": 2, "chopin": 2}
    assert moved.asked == {"bach": "chopin", "chopin": "bach"}


def test_it_is_in_the_sheet_and_belongs_to_its_classifier(
    small: ModelInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LONG_SECONDS": 20.0, "FORM_SECONDS": 16.0, "DRAWS": 2}.items():
        monkeypatch.setattr(sheets, name, value)
    monkeypatch.setattr(sheets, "classifier_here", lambda: CLASSIFIER)
    info, pieces = small, []
    for composer in ("bach", "chopin"):
        for work in range(4):
            music = clip(composer, work).sequence
            rows = [
                (n.start + 10 * t, n.end + 10 * t, n.pitch, 70) for t in range(5) for n in music
            ]
            name = f"{composer}-{work}"
            pieces.append(
                Piece(name, composer, name, name, "test", "performance", "ours", 1,
                      np.array(rows, np.float32))
            )  # fmt: skip
    dataset = Dataset(tuple(pieces), (), Path("made up"))
    sheet = sheets.score_sheet(info, dataset, Plan(10.0, 8), tmp_path / "run", print)
    found = sheet["recognition"]
    assert found["real"]["mean"] == 1.0
    assert found["asked"]["n"] == 8
    write_metrics(info, {"clips": sheet})
    monkeypatch.setattr(module, "classifier_here", lambda: CLASSIFIER)
    assert misfits(model_info("small")) == []
    other = Classifier(COMPOSERS, {}, ByRegister(), "other")
    monkeypatch.setattr(module, "classifier_here", lambda: other)
    assert "another classifier" in misfits(model_info("small"))[0]
