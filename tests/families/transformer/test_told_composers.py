"""When the flagship's training begins to tell composers: until then their rows stay alike."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.families.transformer.windows import NoteWindows
from pyzzicato.registry import models
from pyzzicato.runtime.session import weights_of
from pyzzicato.training.family import Batch, Recipe
from pyzzicato.training.loop import train
from pyzzicato.training.recipes import recipe
from tests.small_transformer import COMPOSERS, CONFIG
from tests.test_families import made_up

TRAINING: dict[str, Any] = {
    "kinds": ["performance"],
    "steps_per_epoch": 4,
    "validation_steps": 1,
    "patience": 5,
    "learning_rate": 0.01,
    "warmup_steps": 1,
    "quiet": True,
}


def piece(composer: str, split: str) -> Piece:
    notes = note_array(made_up(40.0)).astype(np.float32)
    return Piece(f"{composer}.mid", composer, "", "", split, "performance", "", 1, notes)


def config(told_from: float) -> dict[str, Any]:
    own = {
        "composers": COMPOSERS,
        "batch": 4,
        "window": 24,
        "filled": 0.0,
        "weight_dtype": "float32",
    }
    return {**CONFIG, **own, "told_from": told_from}


def composers_told(windows: NoteWindows, passed: float) -> np.ndarray:
    windows.passed = passed
    told: np.ndarray = windows.batch(np.random.default_rng(3))[0]["composer"]
    return told


def test_up_to_a_share_of_the_training_all_are_everybodys() -> None:
    pieces = [piece(name, "train") for name in COMPOSERS]
    windows = NoteWindows(pieces, config(0.5), training=True)
    assert (composers_told(windows, 0.0) == 1 / 4).all()
    assert (composers_told(windows, 0.49) == 1 / 4).all()
    told = composers_told(windows, 0.5)
    assert sorted(set(told.ravel())) == [0.0, 1.0]
    assert told.sum(axis=1).tolist() == [1.0] * 4
    asked = NoteWindows(pieces, config(0.5), training=False)
    assert asked.batch(np.random.default_rng(3))[0]["composer"].max() == 1.0
    always = {name: value for name, value in config(0.5).items() if name != "told_from"}
    windows = NoteWindows(pieces, always, training=True)
    np.testing.assert_array_equal(composers_told(windows, 0.0), told)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.usefixtures("_usual_policy")
@pytest.mark.parametrize("told_from", [0.5, 1.0])
def test_training_counts_its_own_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told_from: float
) -> None:
    drawn: list[tuple[float, bool]] = []

    draw = NoteWindows.batch

    def noted(windows: NoteWindows, rng: np.random.Generator) -> Batch:
        made = draw(windows, rng)
        if windows.training:
            drawn.append((windows.passed, bool(made[0]["composer"].max() < 1)))
        return made

    monkeypatch.setattr(NoteWindows, "batch", noted)
    pieces = [piece(name, split) for name in COMPOSERS for split in ("train", "val")]
    table: Mapping[str, Any] = config(told_from)
    plan = Recipe("tiny", "transformer", table, TRAINING, tmp_path / "run", tmp_path)
    train(plan, Dataset(tuple(pieces), (), tmp_path), epochs=2)
    assert {part for part, _ in drawn} >= {n / 8 for n in range(8)}
    assert all(alike == (part < told_from) for part, alike in drawn)
    rows = weights_of(tmp_path / "model.onnx")["composer_table/kernel"]
    assert np.abs(rows).max() > 0
    apart = np.abs(rows - rows[:1]).max()
    assert (apart > 1e-3) if told_from < 1 else (apart < 1e-6)


def test_who_goes_on_from_the_flagships_weights_hears_of_composers_at_once() -> None:
    info = models()["transformer"]
    assert 0 < recipe(info.folder, Path("runs")).config["told_from"] < 1
    assert recipe(info.folder, Path("runs"), begin=info).config["told_from"] == 0
