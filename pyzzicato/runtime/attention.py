"""Step graphs of Transformers: written with ONNX operators, the key/value cache as plain arrays.

The graph reads `places` cached notes and `steps` new ones, and gives what each new note's keys
and values are; the caller keeps them (`pyzzicato.runtime.session.CachedGraph`), so no cache is ever
copied by the graph. Keys are stored transposed, (batch, 1, size, places), and with their
rotary turn already made: a cache in which the newest note overwrites the oldest needs no order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyzzicato.runtime.graph_builder import Graph

__all__ = [
    "CACHED_KEYS",
    "CACHED_VALUES",
    "EPSILON",
    "NEW_KEYS",
    "NEW_VALUES",
    "attention",
    "mixed",
    "query_scale",
    "rms_norm",
]

CACHED_KEYS, CACHED_VALUES = "cached_keys/", "cached_values/"
NEW_KEYS, NEW_VALUES = "new_keys/", "new_values/"
EPSILON = 1e-6  # of Keras' RMSNormalization


def rms_norm(graph: Graph, value: str, layer: str) -> str:
    """A Keras RMSNormalization layer over the last axis."""
    return graph.op("Mul", plain_norm(graph, value), graph.weight(f"{layer}/scale"))


def plain_norm(graph: Graph, value: str) -> str:
    """`value` over its root mean square along the last axis."""
    square = graph.op("Mul", value, value)
    mean = graph.op("ReduceMean", square, graph.constant([-1]), keepdims=1)
    root = graph.op("Sqrt", graph.op("Add", mean, graph.number(EPSILON)))
    return graph.op("Div", value, root)


def mixed(graph: Graph, value: str, first: str, layer: str) -> str:
    """a value + b first, by the layer's two weights."""
    scale = graph.weight(f"{layer}/scale")
    own, again = (
        graph.op("Mul", part, graph.slice(scale, 0, place, place + 1))
        for place, part in enumerate((value, first))
    )
    return graph.op("Add", own, again)


def query_scale(config: Mapping[str, Any]) -> float:
    """What the products of queries and keys count: 1 / sqrt(size of a head) as a rule.

    Normalised ones are as long as sqrt(size), so that their products grow with it.
    """
    size = config["width"] // config["heads"]
    return float(0.12 * np.sqrt(64 / size) if config.get("qk_norm") else 1 / np.sqrt(size))


def _turned(graph: Graph, value: str, half: int) -> str:
    """Rotary positions on (batch, heads, steps, size), by the inputs `cos` and `sin`."""
    left, right = graph.slice(value, 3, 0, half), graph.slice(value, 3, half, 2 * half)
    first = graph.op("Sub", graph.op("Mul", left, "cos"), graph.op("Mul", right, "sin"))
    second = graph.op("Add", graph.op("Mul", right, "cos"), graph.op("Mul", left, "sin"))
    return graph.op("Concat", first, second, axis=3)


def attention(
    graph: Graph, value: str, values: str | None, number: int, config: Mapping[str, Any]
) -> tuple[str, str | None]:
    """Layer `number`'s attention over the cached and the new notes, masked by the input `mask`.

    With `value_mix` it is given the first layer's new values (None in that layer), and they come
    back beside what it adds.
    """
    width, heads = config["width"], config["heads"]
    size = width // heads
    joined = graph.op("MatMul", value, graph.weight(f"qkv_{number}/kernel"))
    q = graph.reshape(graph.slice(joined, 2, 0, width), (0, 0, heads, size))
    k = graph.slice(joined, 2, width, width + size)
    if config.get("qk_norm"):
        q, k = plain_norm(graph, q), plain_norm(graph, k)
    q = _turned(graph, graph.op("Transpose", q, perm=[0, 2, 1, 3]), size // 2)
    k = _turned(graph, graph.unsqueeze(k, 1), size // 2)
    k = graph.op("Transpose", k, perm=[0, 1, 3, 2])
    v = graph.unsqueeze(graph.slice(joined, 2, width + size, width + 2 * size), 1)
    if config.get("value_mix"):
        if values is None:
            values = v
        else:
            v = mixed(graph, v, values, f"value_mix_{number}")
    cached_k = graph.input(f"{CACHED_KEYS}{number}", ("batch", 1, size, "places"))
    cached_v = graph.input(f"{CACHED_VALUES}{number}", ("batch", 1, "places", size))
    graph.output(f"{NEW_KEYS}{number}", k, ("batch", 1, size, "steps"))
    graph.output(f"{NEW_VALUES}{number}", v, ("batch", 1, "steps", size))
    # All heads read the same keys: their queries, one under the other, are one matrix.
    q = graph.op("Mul", q, graph.number(query_scale(config)))
    stacked = graph.reshape(q, (0, 1, -1, size))
    scores = graph.op(
        "Concat", *(graph.op("MatMul", stacked, keys) for keys in (cached_k, k)), axis=3
    )
    by_head = graph.op(
        "Reshape", scores, graph.join(graph.shape(q, 0, 3), graph.shape(scores, 3, 4))
    )
    weights = graph.op("Softmax", graph.op("Add", by_head, "mask"), axis=3)
    weights = graph.op("Reshape", weights, graph.shape(scores, 0, 4))
    old = graph.slice_to(weights, 3, cached_v, 2)
    new = graph.slice_from(weights, 3, cached_v, 2)
    read = graph.op("Add", graph.op("MatMul", old, cached_v), graph.op("MatMul", new, v))
    read = graph.op("Reshape", read, graph.shape(q, 0, 4))
    flat = graph.reshape(graph.op("Transpose", read, perm=[0, 2, 1, 3]), (0, 0, width))
    return graph.op("MatMul", flat, graph.weight(f"out_{number}/kernel")), values
