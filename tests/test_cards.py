"""Model cards: said from the model's own files, and the licence sentence says what it must."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyzzicato.cli.main import main
from pyzzicato.evaluation.run import misfits
from pyzzicato.families.piano_roll.generate import RollControls
from pyzzicato.registry import ModelInfo, models
from pyzzicato.reports.cards import card, facts

MODELS = list(models().values())
SCORE = {"threshold": 0.2, "precision": 0.5, "recall": 0.4, "f1": 0.4444, "nats": 2.5}


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


def test_a_model_that_offers_no_composers_names_those_it_heard_most(tmp_path: Path) -> None:
    heard = {f"person_{number:02}": 60.0 - number for number in range(30)}
    info = model(tmp_path, training={**TRAINED, "composers": heard})
    named = facts(replace(info, composers=())).composers
    assert named[1] == ("person_00", "60.0")
    assert named[25:] == (("person_24", "36.0"), ("others", "165.0"))


def test_the_frames_stand_beside_both_trivial_predictors(tmp_path: Path) -> None:
    both = {"onset": SCORE, "sounding": SCORE}
    lower = {"onset": {**SCORE, "f1": 0.1}, "sounding": {**SCORE, "f1": 0.2}}
    frames = {
        "windows": 400, "window_seconds": 60.0, "network": both, "repeat": lower, "rate": both,
    }  # fmt: skip
    known = facts(model(tmp_path, metrics={"frames": frames}))
    (sheet,) = known.sheets
    assert sheet.table[0] == ("keys", "predicted by", "precision", "recall", "F1", "nats")
    assert sheet.table[1] == ("struck keys", "this model", "0.5000", "0.4000", "0.4444", "2.5000")
    assert [row[1] for row in sheet.table[1:4]] == [
        "this model", "the last step again", "each key at its mean rate",
    ]  # fmt: skip
    assert len(sheet.table) == 7
    assert "400 windows of 60 s" in sheet.note
    assert not known.unmeasured
    # The better of the trivial ones is named.
    assert known.best_figure == "F1 of struck keys 0.44 (trivial: 0.44)"


BITS = {
    "notes": 40_000, "bits_per_note": 9.0, "standard_error": 0.0512, "time": 1.9, "pitch": 3.5,
    "duration": 2.4, "velocity": 1.2, "bits_per_second": 81.26,
}  # fmt: skip


def likelihood() -> dict[str, Any]:
    rows = {
        "all": {**BITS, "notes": 60_000},
        "performance": BITS,
        "score": {**BITS, "bits_per_note": 5.0},
    }
    worse = {kind: {**row, "bits_per_note": row["bits_per_note"] + 4} for kind, row in rows.items()}
    test = {
        "windows": 100,
        "windows_in_all": 300,
        "network": dict(rows),
        "no_composer": dict(rows),
        "markov": worse,
    }
    return {"window": 1024, "rng_seed": 1, "test": test}


def test_bits_per_note_stand_beside_the_baselines_by_kind_of_music(tmp_path: Path) -> None:
    info = model(tmp_path, metrics={"likelihood": likelihood()})
    known = facts(info)
    (sheet,) = known.sheets
    bits = ("1.90", "3.50", "2.40", "1.20", "81.3")
    assert sheet.table == (
        ("music", "told by", "bits per note", "time", "pitch", "duration", "velocity",
         "bits per second"),
        ("performances", "this model", "9.00 ± 0.05", *bits),
        ("performances", "without its composer", "9.00 ± 0.05", *bits),
        ("performances", "Markov model", "13.00 ± 0.05", *bits),
        ("scores", "this model", "5.00 ± 0.05", *bits),
        ("scores", "without its composer", "5.00 ± 0.05", *bits),
        ("scores", "Markov model", "9.00 ± 0.05", *bits),
    )  # fmt: skip
    assert "128 steps of time, 88 keys, 96 lengths and 32 loudnesses" in sheet.note
    assert "60,000 notes of works that were not trained on" in sheet.note
    assert known.best_figure == "9.00 bits per note (Markov: 13.00)"
    assert not known.unmeasured
    assert "not been measured" not in card(info)
    assert "## How well it tells the next note" in card(info)


def test_nats_per_event_are_named_with_what_they_are_near(tmp_path: Path) -> None:
    found = likelihood()
    found["test"]["events"] = {
        "of": "ASAP performances", "windows": 40, "notes": 20_000, "bits_per_note": 11.5,
        "events_per_note": 4.2, "nats_per_event": 1.898, "published_on_whole_maestro": [1.84, 1.99],
    }  # fmt: skip
    (sheet,) = facts(model(tmp_path, metrics={"likelihood": found})).sheets
    assert "20,000 notes of ASAP performances its 11.50 bits per note are 1.90 nats" in sheet.note
    assert "1.84 to 1.99 on the whole of MAESTRO, which is only nearby" in sheet.note


def test_of_music_with_scores_only_their_bits_are_shown(tmp_path: Path) -> None:
    found = likelihood()
    for who in ("network", "no_composer", "markov"):
        del found["test"][who]["performance"]
    known = facts(model(tmp_path, metrics={"likelihood": found}))
    assert len(known.sheets[0].table) == 4
    assert known.best_figure == "5.00 bits per note (Markov: 9.00)"


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
    (sheet,) = facts(model(tmp_path, metrics={"minutes_long": found})).sheets
    assert sheet.table[0][:2] == ("composer", "notes a second")
    assert sheet.table[1] == (
        "Chopin", "3.9 / 7.1 / 12.0 (3.9 / 8.0 / 12.0)", "59 / 64 / 70 (59 / 64 / 70)",
        "1.11 (1.11)", "0.35 (0.35)", "1.2 s (1.2 s)", "1.2% (1.2%)", "61 (61)",
    )  # fmt: skip
    assert sheet.table[2] == ("Bach", "none (5.0)", *["none"] * 6)
    assert "1 of 2 composers" in sheet.note
    assert "2 of 24 pieces are silent for more than 6 s" in sheet.note
    run = {"median": 14.0, "p90": 18.3, "longest": 24}
    side = {"pieces": 24, "repeated": 0.00155, "passage": run, "copied": 0.04}
    copying = {"new": side, "real": {"pieces": 0}}
    _, copies = facts(
        model(tmp_path, metrics={"minutes_long": {**found, "copying": copying}})
    ).sheets
    assert copies.table[1:] == (
        ("new", "24", "14 / 18 / 24 notes", "4%", "0.15%"),
    )  # fmt: skip
    known = facts(model(tmp_path, metrics={"minutes_long": found}))
    assert known.best_figure == "not measured yet"
    assert "not been measured" in known.unmeasured


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
    assert known.training == known.licences == ()
    assert known.sheets == ()
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
    frames = next(sheet for sheet in known.sheets if sheet.table[0][0] == "keys")
    assert len(frames.table) == 7
    assert known.best_figure.startswith("F1 of struck keys")


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
