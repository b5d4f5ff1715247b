"""The character network: three LSTMs that write ABC notation letter by letter.

Source: Giba and Rudeanu: 3 x 256 LSTM units, softmax over the 87 characters of the Nottingham
jigs, batches of 16 streams x 64 characters whose state is carried on, Adam, 90 epochs, the
weights kept every ten. Not stated there and decided here: an embedding of 64, dropout, the rate.
Differs from the source in: at generation the state is carried by the step graph, so a text may
be of any length, and several takes are one batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyzzicato.families.abc.evaluate import text_scores
from pyzzicato.families.abc.generate import TextGenerator
from pyzzicato.families.abc.windows import TextStreams, text_loss, text_metrics
from pyzzicato.runtime.graph_builder import Graph
from pyzzicato.training.family import Family, Lessons

__all__ = ["FAMILY", "build", "export"]

LAYERS = 3


@dataclass(frozen=True)
class Config:
    """The keys of [config] and [training.augmentation]."""

    vocabulary: str
    embedding: int
    units: int
    dropout: float
    weight_dtype: str = "float16"
    least: int = 1
    prompts: bool = False
    shuffled: bool = False


def build(config: Mapping[str, Any]) -> Any:
    """The Keras model: characters (batch, steps) -> logits (batch, steps, vocabulary).

    `config` has vocabulary, embedding, units, dropout; with `batch` (as in training) the layers
    carry their states from one batch to the next.
    """
    import keras
    from keras import layers

    batch, size = config.get("batch"), len(config["vocabulary"])
    characters = keras.Input(batch_shape=(batch, None), dtype="int32", name="characters")
    x = layers.Embedding(size, config["embedding"], name="embedding")(characters)
    for layer in range(LAYERS):
        x = _carried_lstm(config["units"], batch, f"lstm_{layer}")(x)
        x = layers.Dropout(config["dropout"])(x)
    return keras.Model([characters], layers.Dense(size, name="output", dtype="float32")(x))


def _carried_lstm(units: int, batch: int | None, name: str) -> Any:
    """An LSTM layer; with `batch` it begins each batch with the states that the last one left.

    Keras has `stateful=True` for that, but with PyTorch its states are overwritten while they
    are still needed for the gradients.
    """
    from keras import layers

    class CarriedLSTM(layers.LSTM):  # type: ignore[misc, name-defined, unused-ignore]
        def build(self, shape: Any) -> None:
            super().build(shape)
            self.carried = [
                self.add_weight(
                    shape=(batch, units), initializer="zeros", trainable=False, name=f"carried_{n}"
                )
                for n in ("h", "c")
                if batch
            ]

        def compute_output_shape(self, shape: Any) -> tuple[Any, ...]:
            return (*shape[:2], units)

        def call(self, x: Any, training: bool | None = None) -> Any:
            before = [state * 1.0 for state in self.carried] or None  # a copy of each
            output, *after = super().call(x, initial_state=before, training=training)
            for state, value in zip(self.carried, after, strict=False):
                state.assign(value)
            return output

        def reset_state(self) -> None:
            for state in self.carried:
                state.assign(state * 0.0)

    return CarriedLSTM(units, return_sequences=True, return_state=True, name=name)


def export(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The step graph: any number of characters in, the logits of the next ones out."""
    graph = Graph(
        weights,
        inputs={"characters": ("batch", "steps")},
        stored=config.get("weight_dtype", "float16"),
    )
    x = graph.gather("embedding/embeddings", graph.cast_int("characters"))
    for layer in range(LAYERS):
        x = graph.lstm(x, f"lstm_{layer}", config["units"])
    return {"model.onnx": graph.model(graph.dense(x, "output"))}


FAMILY = Family(
    config=Config,
    build=build,
    export=export,
    generator=TextGenerator,
    scores=text_scores,
    teaching=Lessons(TextStreams, text_loss, text_metrics),
)
