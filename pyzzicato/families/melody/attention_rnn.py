"""The AttentionRNN: two LSTM layers that write melodies, the first looking back on 40 steps.

Source: Steffanutto, with Magenta's MelodyRNN and its configuration "attention_rnn" (Waite, 2016):
two LSTM layers of 128, attention over the last 40 outputs of the first, 74 inputs and 40 classes,
dropout 0.5, batches of 128, Adam with 0.001, gradients clipped to a length of 3.
Differs from the source in: the network is taught on windows of 128 steps, whose inputs tell of
the whole melody before them; the source's sequences were whole melodies of up to 512 steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyzzicato.families.melody.attention_cell import attention_layer, attention_step
from pyzzicato.families.melody.encoding import CLASSES, INPUTS
from pyzzicato.families.melody.evaluate import melody_scores
from pyzzicato.families.melody.generate import MelodyGenerator
from pyzzicato.families.melody.windows import MelodyWindows, melody_loss, melody_metrics
from pyzzicato.runtime.graph_builder import Graph
from pyzzicato.training.family import Family, Lessons

__all__ = ["FAMILY", "build", "export"]


@dataclass(frozen=True)
class Config:
    """The keys of [config] and [training.augmentation]."""

    units: int
    reach: int
    dropout: float
    transpose: bool = True


def build(config: Mapping[str, Any]) -> Any:
    """The Keras model: melody (batch, steps, 74) -> logits of the next step, (batch, steps, 40).

    `config` has units (of each LSTM), reach (steps looked back on) and dropout.
    """
    import keras
    from keras import layers

    melody = keras.Input((None, INPUTS), name="melody")
    x = attention_layer(config["units"], config["reach"])(melody)
    x = layers.Dropout(config["dropout"])(x)
    x = layers.LSTM(config["units"], return_sequences=True, name="lstm")(x)
    x = layers.Dropout(config["dropout"])(x)
    return keras.Model([melody], layers.Dense(CLASSES, name="output", dtype="float32")(x))


def export(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The step graph: one step in, one out; LSTM states and the last outputs carried."""
    graph = Graph(weights, inputs={"melody": ("batch", 1, INPUTS)})
    x = attention_step(graph, "melody", config["units"], config["reach"])
    x = graph.lstm(x, "lstm", config["units"])
    return {"model.onnx": graph.model(graph.dense(x, "output"))}


FAMILY = Family(
    config=Config,
    build=build,
    export=export,
    generator=MelodyGenerator,
    scores=melody_scores,
    teaching=Lessons(MelodyWindows, melody_loss, melody_metrics),
)
