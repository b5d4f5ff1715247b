"""Step graphs of Transformers: written with ONNX operators, the key/value cache as plain arrays.

The graph reads `places` cached notes and `steps` new ones, and gives what each new note's keys
and values are; the caller keeps them (`pyzzicato.runtime.CachedGraph`), so no cache is ever
copied by the graph. Keys are stored transposed, (batch, heads, size, places), and with their
rotary turn already made: a cache in which the newest note overwrites the oldest needs no order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyzzicato.step_graph import Graph

__all__ = ["CACHED_KEYS", "CACHED_VALUES", "NEW_KEYS", "NEW_VALUES", "attention", "rms_norm"]

CACHED_KEYS, CACHED_VALUES = "cached_keys/", "cached_values/"
NEW_KEYS, NEW_VALUES = "new_keys/", "new_values/"
EPSILON = 1e-6  # of Keras' RMSNormalization


def rms_norm(graph: Graph, value: str, layer: str) -> str:
    """A Keras RMSNormalization layer over the last axis."""
    square = graph.op("Mul", value, value)
    mean = graph.op("ReduceMean", square, graph.constant([-1]), keepdims=1)
    root = graph.op("Sqrt", graph.op("Add", mean, graph.number(EPSILON)))
    return graph.op("Mul", graph.op("Div", value, root), graph.weight(f"{layer}/scale"))


def _by_head(graph: Graph, value: str, heads: int, size: int) -> str:
    """(batch, steps, width) -> (batch, heads, steps, size)."""
    split = graph.reshape(value, (0, 0, heads, size))
    return graph.op("Transpose", split, perm=[0, 2, 1, 3])


def _turned(graph: Graph, value: str, half: int) -> str:
    """Rotary positions on (batch, heads, steps, size), by the inputs `cos` and `sin`."""
    left, right = graph.slice(value, 3, 0, half), graph.slice(value, 3, half, 2 * half)
    first = graph.op("Sub", graph.op("Mul", left, "cos"), graph.op("Mul", right, "sin"))
    second = graph.op("Add", graph.op("Mul", right, "cos"), graph.op("Mul", left, "sin"))
    return graph.op("Concat", first, second, axis=3)


def attention(graph: Graph, value: str, number: int, config: Mapping[str, Any]) -> str:
    """Layer `number`'s attention over the cached and the new notes, masked by the input `mask`."""
    width, heads = config["width"], config["heads"]
    size = width // heads
    joined = graph.op("MatMul", value, graph.weight(f"qkv_{number}/kernel"))
    parts = [graph.slice(joined, 2, i * width, (i + 1) * width) for i in range(3)]
    q, k, v = (_by_head(graph, part, heads, size) for part in parts)
    q, k = _turned(graph, q, size // 2), _turned(graph, k, size // 2)
    k = graph.op("Transpose", k, perm=[0, 1, 3, 2])
    cached_k = graph.input(f"{CACHED_KEYS}{number}", ("batch", heads, size, "places"))
    cached_v = graph.input(f"{CACHED_VALUES}{number}", ("batch", heads, "places", size))
    graph.output(f"{NEW_KEYS}{number}", k, ("batch", heads, size, "steps"))
    graph.output(f"{NEW_VALUES}{number}", v, ("batch", heads, "steps", size))
    q = graph.op("Mul", q, graph.number(float(1 / np.sqrt(size))))
    scores = [graph.op("MatMul", q, cached_k), graph.op("MatMul", q, k)]
    both = graph.op("Add", graph.op("Concat", *scores, axis=3), "mask")
    weights = graph.op("Softmax", both, axis=3)
    old = graph.slice_to(weights, 3, cached_v, 2)
    new = graph.slice_from(weights, 3, cached_v, 2)
    mixed = graph.op("Add", graph.op("MatMul", old, cached_v), graph.op("MatMul", new, v))
    flat = graph.reshape(graph.op("Transpose", mixed, perm=[0, 2, 1, 3]), (0, 0, width))
    return graph.op("MatMul", flat, graph.weight(f"out_{number}/kernel"))
