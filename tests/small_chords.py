"""Pieces on the beat, of our own, and recipes too small to play well, for tests."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.formats.midi import write_midi
from pyzzicato.music.notes import Note, NoteSequence

RECIPE = """
title = "Small"
family = "{family}"
year = 2022
source = "made for a test"
summary = "Small."
composers = []
[config]
cell = "{cell}"
layers = 1
units = 8
note_embedding = 6
duration_embedding = 4
dropout = 0.1
cut = "{cut}"
rare = "{rare}"
seen = 2
weight_dtype = "{weight_dtype}"
[training]
kinds = ["beats"]
batch = 4
window = 8
steps_per_epoch = 2
validation_steps = 1
epochs = 2
patience = 5
optimizer = "rmsprop"
schedule = "constant"
learning_rate = 0.001
clip = 0
precision = "float32"
quiet = true
[training.augmentation]
transpose = 1
[card]
order = 1
"""


def made_up(number: int, beats: int = 48, qpm: float = 100.0) -> NoteSequence:
    """A melody in halves, thirds and quarters over a held bass; each number gives another."""
    rng = np.random.default_rng(number)
    notes, now, pitch, quarter = [], 0.0, 67, 60 / qpm
    while now < beats:
        length = (0.5, 1.0, 1 / 3, 0.25)[int(rng.integers(4))]
        times = 3 if length == 1 / 3 else 2
        for _ in range(times):
            pitch = int(np.clip(pitch + rng.integers(-2, 3), 60, 72))
            if rng.random() < 0.85:
                notes.append(Note(now * quarter, (now + length) * quarter, pitch, 70))
            now += length
    for bar in range(0, beats, 4):
        low = 36 + int(rng.integers(5))
        notes.append(Note(bar * quarter, (bar + 3) * quarter, low, 60))
    return NoteSequence(tuple(notes), qpm)


def write_music(folder: Path, pieces: int = 24) -> Path:
    """A folder of two composers with pieces in every split."""
    for number in range(pieces):
        place = folder / ("Bach", "Chopin")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"piece {number}.mid").write_bytes(write_midi(made_up(number)))
    return folder


def write_recipe(folder: Path, **values: Any) -> Path:
    """A folder with model.toml; `values` are those of RECIPE."""
    folder.mkdir(parents=True)
    usual = {
        "family": "chords.note_duration_rnn",
        "cell": "lstm",
        "cut": "slices",
        "rare": "nearest",
    }
    text = RECIPE.format(**{**usual, "weight_dtype": "float16", **values})
    (folder / "model.toml").write_text(text, encoding="utf-8")
    return folder


def make_model(folder: Path, **values: Any) -> Path:
    """A model whose weights are drawn by lot: model.toml, vocabulary.json, model.onnx."""
    import onnx

    from pyzzicato.codecs.chord_duration import counted, tokens_of
    from pyzzicato.families.chords.layers import exported
    from pyzzicato.training.recipes import recipe

    write_recipe(folder, **values)
    config = dict(recipe(folder, folder / "runs").config)
    lines = []
    for number in range(6):
        music = made_up(number)
        rows = np.array([n[:3] for n in music], np.float64)
        rows[:, :2] *= music.qpm / 60
        lines.append(tokens_of(rows, config["cut"]))
    known = counted(lines, 2)
    table = {"notes": list(known.notes), "durations": list(known.durations)}
    (folder / "vocabulary.json").write_text(json.dumps(table), encoding="utf-8")
    config["vocabulary"] = table
    onnx.save(exported(_weights(config), config)["model.onnx"], str(folder / "model.onnx"))
    (folder / "training.json").write_text("{}", encoding="utf-8")
    return folder


def _weights(config: dict[str, Any]) -> dict[str, np.ndarray]:
    dice = np.random.default_rng(1)
    names, lengths = (len(config["vocabulary"][part]) for part in ("notes", "durations"))
    units, read = config["units"], config["note_embedding"] + config["duration_embedding"]
    gates = {"lstm": 4, "gru": 3}[config["cell"]] * units
    layer = f"{config['cell']}_0/{config['cell']}_cell"
    shapes = {
        "note/embeddings": (names + 1, config["note_embedding"]),
        "duration/embeddings": (lengths + 1, config["duration_embedding"]),
        f"{layer}/kernel": (read, gates),
        f"{layer}/recurrent_kernel": (units, gates),
        f"{layer}/bias": (gates,) if config["cell"] == "lstm" else (2, gates),
        "note_out/kernel": (units, names),
        "note_out/bias": (names,),
        "duration_out/kernel": (units, lengths),
        "duration_out/bias": (lengths,),
    }
    return {name: dice.normal(0, 0.7, shape) for name, shape in shapes.items()}
