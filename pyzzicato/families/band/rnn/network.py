"""The network that writes a band step by step, in Keras and as two ONNX graphs.

Inputs and outputs are those of `band.rnn.windows`. A GRU reads the steps so far; its layer
`base` says what each instrument's head goes out from. A head sees, besides, what the instruments
before it have chosen in this step, how much of what was struck 4 to 32 steps before is to come
again (a gain each), and, key by key from below, what its own instrument has chosen so far: one
triangular matrix, `pairs`, as in a sigmoid belief network (Frey, 1998). `after` says which keys
stop sounding when others are struck.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato.families.band.planes import PARTS, WIDTH
from pyzzicato.families.band.rnn.windows import ABOUT, BACK, KEYS, LAGS, PARTS_STRUCK
from pyzzicato.runtime.graph_builder import Graph

__all__ = ["ROWS", "StepConfig", "base_width", "step_graphs", "step_network"]

ROWS = len(LAGS) + 1  # of `back`
OTHERS = tuple(tuple(j for j in range(5) if j != i) for i in range(5))


@dataclass(frozen=True)
class StepConfig:
    """The keys of [config] and [training.augmentation]."""

    told: int
    units: int
    head: int
    part: int
    dropout: float
    joining: float = 0.0


def base_width(config: Mapping[str, Any]) -> int:
    """Numbers that the recurrent part hands to the heads."""
    return 5 * int(config["head"]) + 5 * ROWS


def step_network(config: Mapping[str, Any]) -> Any:
    """The Keras model: roll, about, back, now (batch, steps, ...) and seen (batch, 25) -> logits
    (batch, steps, 1135). `config` has told, units, head, part (widths) and dropout."""
    import keras
    from keras import layers, ops

    roll = keras.Input((None, WIDTH), name="roll")
    about = keras.Input((None, ABOUT), name="about")
    back = keras.Input((None, BACK), name="back")
    now = keras.Input((None, WIDTH), name="now")
    seen = keras.Input((25,), name="seen")
    read = layers.Dropout(config["dropout"])(roll)
    told = layers.Dense(config["told"], activation="relu", name="told")(
        layers.Concatenate()([read, about])
    )
    hidden = layers.GRU(config["units"], return_sequences=True, name="gru")(told)
    hidden = layers.Dropout(config["dropout"])(hidden)
    base = layers.Dense(base_width(config), name="base")(layers.Concatenate()([hidden, told]))
    plain = layers.Dense(KEYS, name="plain", dtype="float32")(hidden)
    wide, head = config["part"], config["head"]
    chosen = [
        layers.Dense(wide, activation="relu", name=f"part_{part}")(now[..., first:end])
        for part, (first, end) in enumerate(PARTS)
    ]
    logits, strikes = [], []
    for part in range(5):
        flags = seen[:, None, 5 * part : 5 * part + 5]
        others = [chosen[other] * flags[..., other : other + 1] for other in OTHERS[part]]
        context = layers.Dense(head, use_bias=False, name=f"context_{part}")(
            ops.concatenate(others, axis=-1)
        )
        known = layers.Dense(head, use_bias=False, name=f"known_{part}")(flags)
        z = ops.relu(base[..., part * head : (part + 1) * head] + context + known)
        mine, strike = _keras_head(part, z, base[..., 5 * head :], back, now)
        logits.append(mine)
        strikes.append(strike)
    return keras.Model(
        [roll, about, back, now, seen], ops.concatenate([*logits, *strikes, plain], axis=-1)
    )


def _keras_head(part: int, z: Any, gains: Any, back: Any, now: Any) -> tuple[Any, Any]:
    """What is said of an instrument's keys, (batch, steps, 61 or 168), and of its striking."""
    from keras import layers, ops

    (first, end), (a, b) = PARTS[part], PARTS_STRUCK[part]
    keys = b - a
    struck = now[..., first : first + keys]
    out = layers.Dense(
        end - first + 1,
        bias_initializer=_usual(keys),
        name=f"out_{part}",
        dtype="float32",
    )(z)
    pairs = layers.Dense(
        keys,
        use_bias=False,
        kernel_initializer="zeros",
        kernel_constraint=_upwards,
        name=f"pairs_{part}",
        dtype="float32",
    )
    said = out[..., :keys] + pairs(struck)
    for row in range(ROWS):
        gain = ops.cast(gains[..., part * ROWS + row : part * ROWS + row + 1], "float32")
        said = said + gain * back[..., row * KEYS + a : row * KEYS + b]
    strike = out[..., -1:]
    if end - first == keys:
        return said, strike
    after = layers.Dense(
        keys, use_bias=False, kernel_initializer="zeros", name=f"after_{part}", dtype="float32"
    )
    return ops.concatenate([said, out[..., keys:-1] + after(struck)], axis=-1), strike


def _usual(keys: int) -> Any:
    """Where the output starts: few keys are struck, and most notes go on."""

    def start(shape: Any, dtype: Any = None) -> np.ndarray:
        bias = np.ones(shape, np.float32)
        bias[:keys], bias[-1] = -3.0, -1.0
        return bias

    return start


def _upwards(kernel: Any) -> Any:
    """A key may look only at those below it."""
    from keras import ops

    return ops.triu(kernel, 1)


def step_graphs(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """model.onnx, which reads steps and carries the memory, and heads.onnx, which draws one."""
    graph = Graph(
        weights, inputs={"roll": ("batch", "steps", WIDTH), "about": ("batch", "steps", ABOUT)}
    )
    told = graph.op("Relu", graph.dense(graph.op("Concat", "roll", "about", axis=2), "told"))
    hidden = graph.gru(told, "gru", config["units"])
    base = graph.dense(graph.op("Concat", hidden, told, axis=2), "base")
    read = graph.model(graph.op("Concat", base, graph.dense(hidden, "plain"), axis=2))
    return {"model.onnx": read, "heads.onnx": _heads(weights, config)}


def _heads(weights: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """base, back, now (batch, steps, ...) and seen (batch, 25) -> (batch, steps, 738)."""
    width, head = base_width(config), config["head"]
    shapes = {"base": width, "back": BACK, "now": WIDTH}
    inputs: dict[str, tuple[int | str, ...]] = {
        name: ("batch", "steps", size) for name, size in shapes.items()
    }
    graph = Graph(weights, inputs={**inputs, "seen": ("batch", 25)})
    chosen = [
        graph.op("Relu", graph.dense(graph.slice("now", 2, first, end), f"part_{part}"))
        for part, (first, end) in enumerate(PARTS)
    ]
    flags = graph.unsqueeze("seen", 1)
    logits, strikes = [], []
    for part in range(5):
        known = graph.slice(flags, 2, 5 * part, 5 * part + 5)
        others = [
            graph.op("Mul", chosen[other], graph.slice(known, 2, other, other + 1))
            for other in OTHERS[part]
        ]
        context = graph.op(
            "MatMul",
            graph.op("Concat", *others, axis=2),
            graph.weight(f"context_{part}/kernel"),
        )
        known = graph.op("MatMul", known, graph.weight(f"known_{part}/kernel"))
        z = graph.op("Add", graph.slice("base", 2, part * head, (part + 1) * head), context)
        z = graph.op("Relu", graph.op("Add", z, known))
        mine, strike = _graph_head(graph, part, z, 5 * head)
        logits.append(mine)
        strikes.append(strike)
    return graph.model(graph.op("Concat", *logits, *strikes, axis=2))


def _graph_head(graph: Graph, part: int, z: str, gains: int) -> tuple[str, str]:
    (first, end), (a, b) = PARTS[part], PARTS_STRUCK[part]
    keys = b - a
    struck = graph.slice("now", 2, first, first + keys)
    out = graph.dense(z, f"out_{part}")
    said = graph.op("MatMul", struck, graph.weight(f"pairs_{part}/kernel"))
    said = graph.op("Add", graph.slice(out, 2, 0, keys), said)
    for row in range(ROWS):
        place = gains + part * ROWS + row
        gain = graph.slice("base", 2, place, place + 1)
        again = graph.slice("back", 2, row * KEYS + a, row * KEYS + b)
        said = graph.op("Add", said, graph.op("Mul", gain, again))
    strike = graph.slice(out, 2, end - first, None)
    if end - first == keys:
        return said, strike
    after = graph.op("MatMul", struck, graph.weight(f"after_{part}/kernel"))
    lasts = graph.op("Add", graph.slice(out, 2, keys, end - first), after)
    return graph.op("Concat", said, lasts, axis=2), strike
