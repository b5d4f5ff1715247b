"""Model cards: said from the model's own files, and the licence sentence says what it must."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pyzzicato.cards import card, facts
from pyzzicato.cli import main
from pyzzicato.registry import ModelInfo, models
from pyzzicato.roll_generator import RollControls

MODELS = list(models().values())
SCORE = {"threshold": 0.2, "precision": 0.5, "recall": 0.4, "f1": 0.4444}
LIVELY = {
    "takes": 60,
    "composers": 13,
    "composers_within": 12,
    "ratio_by_composer": {"bach": 1.0},
    "silent": 0,
    "below_a_quarter": 0.0167,
    "longest_held_seconds": 7.5,
}


def model(folder: Path, **files: Any) -> ModelInfo:
    """A made-up model with these sheets; "weights" is the size of its weight file."""
    if "weights" in files:
        (folder / "model.onnx").write_bytes(bytes(files.pop("weights")))
    for name, sheet in files.items():
        (folder / f"{name}.json").write_text(json.dumps(sheet))
    return ModelInfo(
        id="toy", folder=folder, family="wavenet", title="Toy", summary="A toy.", source="Us",
        year=2021, composers=("bach", "chopin"),
        card={"works": ["One.", "Two."], "limits": ["It is a toy."]},
    )  # fmt: skip


TRAINED = {
    "weights": 1234567,
    "hours": 95.25,
    "recordings": 1284,
    "works": 400,
    "notes": 3_600_000,
    "epochs": 18,
    "best_epoch": 17,
    "minutes": 40.4,
    "training_loss": 6.5424,
    "validation_loss": 5.5588,
    "licences": {"CC BY-NC-SA 4.0": 75.0, "CC BY 4.0": 25.0},
    "composers": {"ravel": 3.0, "bach": 6.0, "satie": 1.0, "chopin": 20.0},
}


def test_a_trained_model_says_what_it_was_trained_on(tmp_path: Path) -> None:
    known = facts(model(tmp_path, weights=2_320_000, training=TRAINED))
    assert known.size == "2.3 MB, 1,234,567 weights"
    table = dict(row for row in known.training if len(row) == 2)
    assert table["hours of music"] == "95.2"
    assert table["recordings"] == "1,284"
    assert table["validation loss"] == "5.559"
    assert table["minutes on two CPU cores"] == "40"
    assert known.composers == (
        ("composer", "hours"),
        ("Chopin", "20.0"),
        ("Bach", "6.0"),
        ("others", "4.0"),
    )
    assert known.licences[1] == ("CC BY-NC-SA 4.0", "75.0")


def test_the_frames_stand_beside_both_trivial_predictors(tmp_path: Path) -> None:
    both = {"onset": SCORE, "sounding": SCORE}
    lower = {"onset": {**SCORE, "f1": 0.1}, "sounding": {**SCORE, "f1": 0.2}}
    frames = {
        "windows": 400, "window_seconds": 60.0, "network": both, "repeat": lower, "rate": both,
    }  # fmt: skip
    known = facts(model(tmp_path, metrics={"frames": frames}))
    assert known.frames[0] == ("keys", "predicted by", "precision", "recall", "F1")
    assert known.frames[1] == ("struck keys", "this model", "0.500", "0.400", "0.444")
    assert [row[1] for row in known.frames[1:4]] == [
        "this model", "the last step again", "each key at its mean rate",
    ]  # fmt: skip
    assert len(known.frames) == 7
    assert "400 windows of 60 s" in known.frames_note
    # The better of the trivial ones is named.
    assert known.best_figure == "F1 of struck keys 0.44 (trivial: 0.44)"


def test_liveliness_has_a_column_for_each_way_of_choosing_keys(tmp_path: Path) -> None:
    sheet = {"seconds": 120.0, "default": LIVELY, "threshold": {**LIVELY, "silent": 31}}
    known = facts(model(tmp_path, metrics={"liveliness": sheet}))
    assert known.liveliness[0][0] == "over 120 s"
    rows = {row[0]: row[1:] for row in known.liveliness}
    assert rows["takes that are silent at the end"] == ("0", "31")
    assert rows["takes below a quarter of the real density at the end"] == ("1.7%", "1.7%")


@pytest.mark.parametrize(
    ("licences", "words"),
    [
        ({}, "do not use its output commercially"),
        ({"CC BY-NC-SA 4.0": 3.0, "CC BY 4.0": 1.0}, "not to be used .* without checking: 75%"),
        ({"see piano-midi.de/copy.htm; repo: study and research only": 1.0}, "not to be used"),
        ({"repo README CC BY 4.0; upstream MAESTRO CC BY-NC-SA 4.0": 1.0}, "not to be used"),
        ({"non-commercial distribution and use": 1.0}, "not to be used"),
        ({"MIT (repo LICENSE); underlying songs under copyright": 1.0}, "not to be used"),
        ({"your own files": 2.0, "CC BY 4.0": 1.0}, "depends on the music .* check your own files"),
        ({"GPL-3.0 (repo README)": 2.0}, "depends on the music .* check GPL-3.0"),
        ({"CC BY 4.0 (README)": 1.0, "Public Domain": 1.0}, "may be used commercially: all"),
        ({"Creative Commons Attribution-ShareAlike 4.0": 1.0}, "may be used commercially: all"),
        ({"public-domain score (repo MIT)": 1.0}, "may be used commercially: all"),
        ({"BSD-3-Clause (COPYING.adoc)": 1.0}, "may be used commercially: all"),
    ],
)  # fmt: skip
def test_the_licences_decide_what_may_be_done(
    tmp_path: Path, licences: dict[str, float], words: str
) -> None:
    said = facts(model(tmp_path, training={"licences": licences})).commercial
    assert re.search(words, said), said
    assert said.endswith(".")


def test_a_model_without_sheets_says_so(tmp_path: Path) -> None:
    known = facts(model(tmp_path))
    assert known.size == "not trained yet"
    assert known.best_figure == "not measured yet"
    assert known.training == known.frames == known.liveliness == known.licences == ()
    text = card(model(tmp_path))
    assert "It has not been measured yet" in text
    assert "How lively" not in text, "no heading stands over nothing"


def test_the_card_is_markdown_with_whole_tables(tmp_path: Path) -> None:
    text = card(model(tmp_path, weights=10, training={**TRAINED, "licences": {"a|b": 1.0}}))
    assert text.startswith("# Toy\n\nA toy.\n\n")
    assert text.endswith("\n")
    assert "| a\\|b | 1.0 |" in text
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if set(line) == {"|", "-"}:
            columns = line.count("-") // 3
            assert lines[number - 1].count(" | ") == columns - 1
            assert lines[number - 2] == "", "a table stands by itself"


@pytest.mark.parametrize("info", MODELS, ids=lambda info: info.id)
def test_every_model_explains_itself(info: ModelInfo) -> None:
    known = facts(info)
    assert len(known.works) == 5
    assert known.differs
    assert known.limits
    for sentence in (*known.works, *known.differs, *known.limits):
        assert sentence.endswith(".")
    assert known.licences


@pytest.mark.parametrize(
    "info", [i for i in MODELS if i.controls is RollControls], ids=lambda info: info.id
)
def test_every_piano_roll_model_is_measured(info: ModelInfo) -> None:
    known = facts(info)
    assert len(known.frames) == 7
    assert known.best_figure.startswith("F1 of struck keys")


@pytest.mark.parametrize("info", MODELS, ids=lambda info: info.id)
def test_every_card_is_as_its_files_say(info: ModelInfo) -> None:
    written = (info.folder / "README.md").read_text(encoding="utf-8")
    assert written == card(info), "run `pyzzicato cards`"


def test_the_command_writes_every_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "model.toml").write_text(
        'title = "Toy"\nfamily = "wavenet"\nyear = 2021\nsource = "Us"\nsummary = "A toy."\n'
        "[config]\n[training]\n"
    )
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    assert main(["cards"]) == 0
    path = tmp_path / "toy" / "README.md"
    assert capsys.readouterr().out.strip() == str(path)
    assert path.read_text().startswith("# Toy\n")
