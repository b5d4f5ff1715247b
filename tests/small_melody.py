"""A melody of our own and a melody network too small to play well, for tests."""

from pathlib import Path

import numpy as np
import onnx

from pyzzicato.families.melody import attention_rnn
from pyzzicato.families.melody.encoding import INPUTS
from pyzzicato.registry import ModelInfo, models

CONFIG = {"units": 8, "reach": 5, "dropout": 0.5}
CELL = "attention/cell"
SHAPES = {
    f"{CELL}/mixed/kernel": (INPUTS + 8, INPUTS),
    f"{CELL}/mixed/bias": (INPUTS,),
    f"{CELL}/lstm_cell/kernel": (INPUTS, 32),
    f"{CELL}/lstm_cell/recurrent_kernel": (8, 32),
    f"{CELL}/lstm_cell/bias": (32,),
    f"{CELL}/asked/kernel": (16, 8),
    f"{CELL}/asked/bias": (8,),
    f"{CELL}/kept/kernel": (8, 8),
    f"{CELL}/weighed/kernel": (8, 1),
    f"{CELL}/joined/kernel": (16, 8),
    f"{CELL}/joined/bias": (8,),
    "lstm/lstm_cell/kernel": (8, 32),
    "lstm/lstm_cell/recurrent_kernel": (8, 32),
    "lstm/lstm_cell/bias": (32,),
    "output/kernel": (8, 40),
    "output/bias": (40,),
}
TOML = """
title = "Tiny"
family = "melody.attention_rnn"
year = 2016
source = "a test"
summary = "Tiny."
composers = []
[config]
units = 8
reach = 5
dropout = 0.5
[training]
kinds = ["melody:even"]
batch = 4
window = 12
steps_per_epoch = 2
validation_steps = 1
epochs = 2
patience = 5
optimizer = "adam"
learning_rate = 0.001
schedule = "constant"
clip = 3.0
quiet = true
"""


def make_model(folder: Path) -> ModelInfo:
    """A model whose weights are drawn by lot, in `folder`."""
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(TOML, encoding="utf-8")
    dice = np.random.default_rng(4)
    weights = {path: dice.normal(0, 0.6, shape) for path, shape in SHAPES.items()}
    graphs = attention_rnn.export(weights, CONFIG)
    onnx.save(graphs["model.onnx"], str(folder / "model.onnx"))
    return models(folder.parent)[folder.name]


def tune(steps: int = 64, lowest: int = 60) -> np.ndarray:
    """A melody of our own, bar after bar the same figure on another degree."""
    figure = np.array([0, -2, 2, -2, 4, -2, -2, -2, 7, -2, 5, 4, 2, -2, -1, -2])
    bars = [np.where(figure >= 0, figure + lowest + (0, 5, 7, 0)[n % 4], figure) for n in range(64)]
    events: np.ndarray = np.concatenate(bars)[:steps]
    return events
