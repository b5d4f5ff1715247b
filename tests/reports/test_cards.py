"""Model cards: said from the model's own files, and the licence sentence says what it must."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyzzicato.cli.main import main
from pyzzicato.evaluation.run import misfits
from pyzzicato.metrics.scores import Measure, Score, Sheet
from pyzzicato.registry import ModelInfo, models
from pyzzicato.reports.cards import card, facts
from pyzzicato.reports.tables import Table

MODELS = list(models().values())


def model(folder: Path, **files: Any) -> ModelInfo:
    """A made-up model with these sheets; "weights" is the size of its weight file."""
    if "weights" in files:
        (folder / "model.onnx").write_bytes(bytes(files.pop("weights")))
    for name, sheet in files.items():
        (folder / f"{name}.json").write_text(json.dumps(sheet))
    return ModelInfo(
        id="toy", folder=folder, family="piano_roll.wavenet", title="Toy", summary="A toy.",
        source="Us", year=2021, composers=("bach", "chopin"),
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
    table = dict(row for row in known.training.rows if len(row) == 2)
    assert table["hours of music"] == "95.2"
    assert table["recordings"] == "1,284"
    assert table["validation loss"] == "5.559"
    assert table["minutes on two CPU cores"] == "40"
    assert known.composers.head == ("composer", "hours")
    assert known.composers.rows == (("Chopin", "20.0"), ("Bach", "6.0"), ("others", "4.0"))
    assert known.licences.rows[0] == ("CC BY-NC-SA 4.0", "75.0")


def test_a_model_that_offers_no_composers_names_those_it_heard_most(tmp_path: Path) -> None:
    heard = {f"person_{number:02}": 60.0 - number for number in range(30)}
    info = model(tmp_path, training={**TRAINED, "composers": heard})
    named = facts(replace(info, composers=())).composers
    assert named.rows[0] == ("person_00", "60.0")
    assert named.rows[24:] == (("person_24", "36.0"), ("others", "165.0"))


SHEET = Sheet(
    "How well it tells", "On 9 notes.", (Measure("bits"),),
    (Score("bits", 5.0), Score("bits", 9.0, "Markov model")), rival="Markov model",
)  # fmt: skip


def test_what_was_measured_stands_on_the_card(tmp_path: Path) -> None:
    info = model(tmp_path, metrics={"scores": [SHEET.plain()]})
    known = facts(info)
    (section,) = known.sections
    assert section.table == Table(
        ("told by", "bits"), (("this model", "5.00"), ("Markov model", "9.00"))
    )
    assert known.best_figure == "5.00 bits (Markov model: 9.00)"
    text = card(info)
    assert "not been measured" not in text
    assert "## How well it tells\n\nOn 9 notes.\n\n| told by | bits |\n" in text
    told = {"what": "bits", "figure": "4", "measure": "bits", "group": "", "near": "Far."}
    beside = card(replace(info, card={"published": [told]}))
    assert "## Beside what others published" in beside
    assert "| bits | 4 | 5.00 (test) | Far. |" in beside


def test_minutes_stand_beside_real_music_where_there_is_some(tmp_path: Path) -> None:
    new = {
        "pieces": 12, "p10": 3.94, "p50": 7.1, "p90": 12.0, "drift": 0.9, "drift_size": 1.111,
        "longest_silence": 1.25, "longest_wait": 4.0, "note_seconds": 0.3, "velocity": 61.2,
        "repeated": 0.0123, "pitch_p10": 58.9, "pitch_p50": 64.3, "pitch_p90": 70.0,
        "uneven": 0.346,
    }  # fmt: skip
    found = {
        "pieces": 24,
        "seconds": 180.0,
        "controls": {},
        "composers": {
            "chopin": {"new": new, "real": {**new, "p50": 8.0}, "new_over_real": {"p50": 0.9}},
            "bach": {"new": {"pieces": 12}, "real": {"p50": 5.0}, "new_over_real": {}},
        },
        "composers_within": 1,
        "silent_pieces": 2,
    }
    (sheet,) = facts(model(tmp_path, metrics={"minutes_long": found})).sections
    assert sheet.table.head[:2] == ("composer", "notes a second")
    assert sheet.table.rows[0] == (
        "Chopin", "3.9 / 7.1 / 12.0 (3.9 / 8.0 / 12.0)", "59 / 64 / 70 (59 / 64 / 70)",
        "1.11 (1.11)", "0.35 (0.35)", "1.2 s (1.2 s)", "1.2% (1.2%)", "61 (61)",
    )  # fmt: skip
    assert sheet.table.rows[1] == ("Bach", "none (5.0)", *["none"] * 6)
    assert "1 of 2 composers" in sheet.note
    assert "2 of 24 pieces are silent for more than 6 s" in sheet.note
    run = {"median": 14.0, "p90": 18.3, "longest": 24}
    side = {"pieces": 24, "repeated": 0.00155, "passage": run, "copied": 0.04}
    copying = {"new": side, "real": {"pieces": 0}}
    _, copies = facts(
        model(tmp_path, metrics={"minutes_long": {**found, "copying": copying}})
    ).sections
    assert copies.table.rows == (
        ("new", "24", "14 / 18 / 24 notes", "4%", "0.15%"),
    )  # fmt: skip
    known = facts(model(tmp_path, metrics={"minutes_long": found}))
    assert known.best_figure == "not measured yet"


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
    assert known.training.rows == known.licences.rows == ()
    assert known.sections == ()
    text = card(model(tmp_path))
    assert "It has not been measured yet" in text


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
    works, differs, limits = (info.card[name] for name in ("works", "differs", "limits"))
    assert len(works) == 5
    assert differs
    assert limits
    for sentence in (*works, *differs, *limits):
        assert sentence.endswith(".")
    assert facts(info).licences.rows


@pytest.mark.parametrize("info", MODELS, ids=lambda info: info.id)
def test_every_card_is_as_its_files_say(info: ModelInfo) -> None:
    written = (info.folder / "README.md").read_text(encoding="utf-8")
    assert written == card(info), "run `pyzzicato cards`"


@pytest.mark.parametrize("info", MODELS, ids=lambda info: info.id)
def test_every_figure_belongs_to_its_weights(info: ModelInfo) -> None:
    assert misfits(info) == [], "measure again, see `pyzzicato evaluate --check`"


def test_the_command_writes_every_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "model.toml").write_text(
        'title = "Toy"\nfamily = "piano_roll.wavenet"\nyear = 2021\n'
        'source = "Us"\nsummary = "A toy."\n'
        "[config]\n[training]\n"
    )
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    assert main(["cards"]) == 0
    path = tmp_path / "toy" / "README.md"
    assert capsys.readouterr().out.strip() == str(path)
    assert path.read_text().startswith("# Toy\n")
