"""An LSTM cell that looks back on its own last outputs, for `keras.layers.RNN`.

With h_i the last n outputs, c_t the LSTM's state (both halves of it), and context'_t what was
found in the step before:

    x'_t       = linear(x_t, context_{t-1})         as wide as x_t
    o_t, c_t   = LSTM(x'_t, c_{t-1})
    u_i        = v . tanh(W1 h_i + W2 c_t)
    a          = softmax(u)
    context_t  = sum of a_i h_i
    output_t   = linear(o_t, context_t)             the newest h_i of the next step

Before there are n outputs the missing ones are zeros, which are looked at too. W1 h_i is kept
beside h_i, so that it is worked out once. Source: Bahdanau et al. (2015), Vinyals et al. (2015);
as Waite (2016) uses it on the first layer of the AttentionRNN, and TensorFlow's
AttentionCellWrapper wrote it.
"""

from __future__ import annotations

from typing import Any

from pyzzicato.runtime.graph_builder import STATE_OUT, Graph

__all__ = ["attention_layer", "attention_step"]

NAME = "attention"


def attention_layer(units: int, reach: int) -> Any:
    """A Keras layer, (batch, steps, n) -> (batch, steps, units), that looks back `reach` steps."""
    import keras
    from keras import layers, ops

    class AttentionCell(layers.Layer):  # type: ignore[misc, name-defined, unused-ignore]
        state_size = [units, units, units, reach * units, reach * units]  # noqa: RUF012
        output_size = units

        def build(self, shape: Any) -> None:
            self.mixed = layers.Dense(shape[-1], name="mixed")
            self.cell = layers.LSTMCell(units, name="lstm_cell")
            self.asked = layers.Dense(units, name="asked")  # W2
            self.kept = layers.Dense(units, use_bias=False, name="kept")  # W1
            self.weighed = layers.Dense(1, use_bias=False, name="weighed")  # v
            self.joined = layers.Dense(units, name="joined")
            for layer, width in (
                (self.mixed, shape[-1] + units),
                (self.cell, shape[-1]),
                (self.asked, 2 * units),
                (self.kept, units),
                (self.weighed, units),
                (self.joined, 2 * units),
            ):
                layer.build((None, width))
            self.built = True

        def call(self, x: Any, states: Any, training: bool = False) -> Any:
            h, c, context, outputs, keys = states
            x = self.mixed(ops.concatenate([x, context], axis=-1))
            told, (h, c) = self.cell(x, [h, c], training=training)
            asked = self.asked(ops.concatenate([c, h], axis=-1))
            seen = ops.tanh(ops.reshape(keys, (-1, reach, units)) + asked[:, None, :])
            chance = ops.softmax(self.weighed(seen)[..., 0], axis=-1)
            before = ops.reshape(outputs, (-1, reach, units))
            context = ops.matmul(chance[:, None, :], before)[:, 0]
            output = self.joined(ops.concatenate([told, context], axis=-1))
            outputs = ops.concatenate([outputs[:, units:], output], axis=-1)
            keys = ops.concatenate([keys[:, units:], self.kept(output)], axis=-1)
            return output, [h, c, context, outputs, keys]

        def get_initial_state(self, batch_size: Any = None) -> Any:
            return [
                ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in self.state_size
            ]

    return keras.layers.RNN(AttentionCell(name="cell"), return_sequences=True, name=NAME)


def attention_step(graph: Graph, x: str, units: int, reach: int) -> str:
    """The layer in a step graph, one step at a time; (batch, 1, n) -> (batch, 1, units)."""
    cell = f"{NAME}/cell"
    context = graph.state("context", (units,))
    outputs = graph.state("outputs", (reach, units))
    keys = graph.state("keys", (reach, units))
    x = graph.dense(graph.op("Concat", x, graph.unsqueeze(context, 1), axis=-1), f"{cell}/mixed")
    told = graph.lstm(x, cell, units)
    h, c = (f"{STATE_OUT}{cell}_{part}" for part in "hc")
    asked = graph.dense(graph.op("Concat", c, h, axis=-1), f"{cell}/asked")
    seen = graph.op("Tanh", graph.op("Add", keys, graph.unsqueeze(asked, 1)))
    weighed = graph.op("MatMul", seen, graph.weight(f"{cell}/weighed/kernel"))  # (batch, reach, 1)
    chance = graph.op("Softmax", graph.op("Transpose", weighed, perm=[0, 2, 1]), axis=-1)
    found = graph.op("MatMul", chance, outputs)  # (batch, 1, units)
    output = graph.dense(graph.op("Concat", told, found, axis=-1), f"{cell}/joined")
    key = graph.op("MatMul", output, graph.weight(f"{cell}/kept/kernel"))
    graph.next_state("context", graph.squeeze(found, 1))
    for name, before, new in (("outputs", outputs, output), ("keys", keys, key)):
        rest = graph.slice(before, 1, 1, reach)
        graph.next_state(name, graph.op("Concat", rest, new, axis=1))
    return output
