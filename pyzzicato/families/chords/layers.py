"""What networks of notes and lengths have in common: two embeddings in, two softmax heads out.

In Keras and as a step graph; a family gives the widths and the cell. Shapes: see
`pyzzicato.families.chords.windows`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyzzicato.families.chords.windows import sizes
from pyzzicato.runtime.graph_builder import Graph

__all__ = ["ChordConfig", "built", "exported"]


@dataclass(frozen=True)
class ChordConfig:
    """The keys of [config] and [training.augmentation]."""

    units: int
    note_embedding: int
    duration_embedding: int
    dropout: float
    cut: str
    seen: int
    cell: str = "gru"
    layers: int = 1
    rare: str = "drop"
    most: int = 0
    last: bool = False
    one_key: bool = False
    weight_dtype: str = "float16"
    transpose: int = 0


def built(config: Mapping[str, Any]) -> Any:
    """The Keras model: tokens (batch, steps, 2) -> logarithms of chances (batch, steps, n + d).

    `config` has vocabulary, note_embedding, duration_embedding, cell ("lstm" or "gru"), layers,
    units, dropout; with `last` only the last step is given (batch, 1, n + d).
    """
    import keras
    from keras import layers, ops

    names, lengths = sizes(config)
    tokens = keras.Input((None, 2), dtype="int32", name="tokens")
    note = layers.Embedding(names + 1, config["note_embedding"], name="note")
    duration = layers.Embedding(lengths + 1, config["duration_embedding"], name="duration")
    x = layers.Concatenate()([note(tokens[..., 0]), duration(tokens[..., 1])])
    x = layers.Dropout(config["dropout"])(x)
    cell = {"lstm": layers.LSTM, "gru": layers.GRU}[config["cell"]]
    for number in range(config["layers"]):
        name = f"{config['cell']}_{number}"
        x = cell(config["units"], return_sequences=True, name=name)(x)
    if config.get("last"):
        x = x[:, -1:]
    x = layers.Dropout(config["dropout"])(x)
    heads = [
        ops.log_softmax(layers.Dense(size, name=name, dtype="float32")(x), axis=-1)
        for name, size in (("note_out", names), ("duration_out", lengths))
    ]
    return keras.Model([tokens], layers.Concatenate(dtype="float32")(heads))


def exported(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The step graph: any number of steps in, the same number out, states carried."""
    stored = config.get("weight_dtype", "float16")
    graph = Graph(weights, inputs={"tokens": ("batch", "steps", 2)}, stored=stored)
    rows = graph.cast_int("tokens")
    parts = [
        graph.gather(f"{name}/embeddings", graph.squeeze(graph.slice(rows, 2, place, place + 1), 2))
        for place, name in enumerate(("note", "duration"))
    ]
    x = graph.op("Concat", *parts, axis=2)
    for number in range(config["layers"]):
        layer = f"{config['cell']}_{number}"
        cell = graph.lstm if config["cell"] == "lstm" else graph.gru
        x = cell(x, layer, config["units"])
    heads = [
        graph.op("LogSoftmax", graph.dense(x, name), axis=2)
        for name in ("note_out", "duration_out")
    ]
    return {"model.onnx": graph.model(graph.op("Concat", *heads, axis=2))}
