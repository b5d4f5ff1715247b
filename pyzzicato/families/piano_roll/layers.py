"""What the piano-roll networks have in common: their inputs and their output, in Keras and ONNX.

A family builds and exports only what lies between. Shapes: see `piano_roll.windows`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyzzicato.families.piano_roll.windows import INPUTS, OUTPUTS, output_bias, straight_kernel
from pyzzicato.runtime.graph_builder import Graph

__all__ = ["finished", "finished_graph", "inputs", "started_graph"]


def inputs(config: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Keras inputs `roll` (batch, steps, 264) and `condition` (batch, 2), and what the condition
    says in numbers: the composer's embedding and the density, (batch, embedding + 1)."""
    import keras
    from keras import layers, ops

    roll = keras.Input((None, INPUTS), name="roll")
    condition = keras.Input((2,), name="condition")
    row = ops.cast(condition[:, 0], "int32")
    composer = layers.Embedding(len(config["composers"]) + 1, config["embedding"], name="composer")
    return roll, condition, layers.Concatenate()([composer(row), condition[:, 1:]])


def finished(roll: Any, condition: Any, hidden: Any, config: Mapping[str, Any]) -> Any:
    """The Keras model: `hidden` (batch, steps, n) to what is said of the next step, 274 wide."""
    import keras
    from keras import layers

    y = layers.Dropout(config["dropout"])(hidden)
    output = layers.Dense(OUTPUTS, bias_initializer=output_bias, name="output", dtype="float32")
    # The layers between are narrower than a roll: past them, each key still sees what is held.
    straight = layers.Dense(
        OUTPUTS,
        use_bias=False,
        kernel_initializer=straight_kernel,
        name="straight",
        dtype="float32",
    )
    return keras.Model([roll, condition], output(y) + straight(roll))


def started_graph(weights: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[Graph, str]:
    """A step graph with the two inputs, and the name of what the condition says in numbers."""
    graph = Graph(weights, inputs={"roll": ("batch", "steps", INPUTS), "condition": ("batch", 2)})
    row = graph.cast_int(graph.slice("condition", 1, 0, 1))
    composer = graph.reshape(graph.gather("composer/embeddings", row), (-1, config["embedding"]))
    return graph, graph.op("Concat", composer, graph.slice("condition", 1, 1, 2), axis=1)


def finished_graph(graph: Graph, hidden: str) -> dict[str, Any]:
    """The step graph's file: `hidden` to the output, and the straight way past it."""
    straight = graph.op("MatMul", "roll", graph.weight("straight/kernel"))
    return {"model.onnx": graph.model(graph.op("Add", graph.dense(hidden, "output"), straight))}
