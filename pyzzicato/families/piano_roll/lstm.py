"""The "naive" LSTM: two LSTM layers and three dense ones that draw the roll step by step.

Source: Pyzzicato (2021): a sequential model, 2 LSTM + 3 dense layers, sigmoid over 88 keys. Not
stated there and decided here: 256 units, windows of 20 s, AdamW, no dropout in the recurrence.
Differs from the source in: onsets, velocities, a note count, and the composer and density as
inputs (see `piano_roll/windows.py`). At generation the state is carried on for as long as
the piece lasts; the source read its last 10 s anew at every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyzzicato.families.piano_roll.evaluate import roll_scores
from pyzzicato.families.piano_roll.generate import RollGenerator
from pyzzicato.families.piano_roll.layers import finished, finished_graph, inputs, started_graph
from pyzzicato.families.piano_roll.windows import RollWindows, roll_loss, roll_metrics
from pyzzicato.families.piano_roll.wishes import roll_statistics
from pyzzicato.training.family import Family, Lessons

__all__ = ["FAMILY", "build", "export"]


@dataclass(frozen=True)
class Config:
    """The keys of [config] and [training.augmentation]."""

    steps_per_second: int
    told: int
    units: int
    hidden: Sequence[int]
    embedding: int
    dropout: float
    transpose: int = 0
    corrupted: float = 0.0
    corruption: float = 0.0


def build(config: Mapping[str, Any]) -> Any:
    """The Keras model: roll (batch, steps, 264) and condition (batch, 2) -> (batch, steps, 274).

    `config` has composers, units (of each LSTM), hidden (two widths), embedding, dropout.
    """
    from keras import layers, ops

    roll, condition, about = inputs(config)
    told = layers.Dense(config["told"], name="told")(about)
    x = layers.Dense(config["told"], name="input")(roll) + told[:, None, :]
    x = ops.tanh(x)
    for layer in range(2):
        x = layers.LSTM(config["units"], return_sequences=True, name=f"lstm_{layer}")(x)
    for number, width in enumerate(config["hidden"]):
        x = layers.Dense(width, activation="relu", name=f"hidden_{number}")(x)
    return finished(roll, condition, x, config)


def export(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The step graph: any number of steps in, the same number out, LSTM states carried."""
    graph, about = started_graph(weights, config)
    told = graph.unsqueeze(graph.dense(about, "told"), 1)
    x = graph.op("Tanh", graph.op("Add", graph.dense("roll", "input"), told))
    for layer in range(2):
        x = graph.lstm(x, f"lstm_{layer}", config["units"])
    for number in range(len(config["hidden"])):
        x = graph.op("Relu", graph.dense(x, f"hidden_{number}"))
    return finished_graph(graph, x)


FAMILY = Family(
    config=Config,
    build=build,
    export=export,
    generator=RollGenerator,
    scores=roll_scores,
    teaching=Lessons(RollWindows, roll_loss, roll_metrics),
    statistics=roll_statistics,
)
