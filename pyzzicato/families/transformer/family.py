"""The flagship: a Transformer that writes one note a step, for minutes, in a composer's style.

Ours. A decoder-only Transformer with rotary positions (Su et al., 2021), RMS norms, squared
ReLU (So et al., 2021), no biases, and one head of keys and values for all heads of queries
(Shazeer, 2019): on a processor the cache, not the weights, is what ten takes wait for. Four small
heads decide time, pitch, duration and velocity of a note one after another, each seeing what
those before it chose. The source documents name a Transformer (S2) but do not describe it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyzzicato.codecs.performance import BINS
from pyzzicato.families.transformer.evaluate import note_scores, quick_note_scores
from pyzzicato.families.transformer.generate import NoteGenerator
from pyzzicato.families.transformer.sounding import KEYS
from pyzzicato.families.transformer.statistics import note_statistics
from pyzzicato.families.transformer.windows import (
    READ,
    WISHES,
    NoteWindows,
    note_count,
    note_loss,
    note_metrics,
)
from pyzzicato.runtime.attention import EPSILON, attention, mixed, query_scale, rms_norm
from pyzzicato.runtime.graph_builder import Graph
from pyzzicato.training.family import Family, Lessons

__all__ = ["FAMILY", "FIELDS", "build", "export"]

FIELDS = ("time", "pitch", "duration", "velocity")


@dataclass(frozen=True)
class Config:
    """The keys of [config] and [training.augmentation]."""

    width: int
    layers: int
    heads: int
    ffn_dim: int
    head_width: int
    context_length: int
    weight_dtype: str = "float16"
    zero_begin: bool = False
    qk_norm: bool = False
    input_mix: bool = False
    value_mix: bool = False
    sounding: bool = False
    filled: float = 0.0
    halved: float = 0.0


def build(config: Mapping[str, Any]) -> Any:
    """The Keras model: notes, wishes, chosen, composer -> logits (batch, window, 344).

    `config` has composers, width, layers, heads, ffn_dim (of the feed-forward part), head_width.
    Each of these may be true beside: `zero_begin` (what each block adds, and all logits, begin
    at zero), `qk_norm` (queries and keys are normalised), `input_mix` (each block is given what
    was read once more), `value_mix` (the first block's values are mixed into those of the later
    ones; Zhou et al., 2024), `sounding` (one more input: which keys sound). Shapes of the inputs:
    see `transformer.windows`.
    """
    import keras
    from keras import layers, ops

    width = config["width"]
    notes = keras.Input((None, len(READ)), dtype="int32", name="notes")
    wishes = keras.Input((None, len(WISHES)), dtype="int32", name="wishes")
    chosen = keras.Input((None, 3), dtype="int32", name="chosen")
    composer = keras.Input((len(config["composers"]) + 1,), name="composer")

    x = _with_tables(_told_composer(composer, width), notes, READ, "read")
    x = _with_tables(x, wishes, WISHES, "wish")
    inputs = [notes, wishes, chosen, composer]
    if config.get("sounding"):
        inputs.append(keras.Input((None, KEYS), name="sounding"))
        heard = _matrix(width, "sounding_table", kernel_initializer="zeros")
        x = x + heard(inputs[-1])
    x = _blocks(x, notes, config)
    outputs = []
    for field, name in enumerate(FIELDS):
        if field:
            x = x + _table(BINS[field - 1], width, f"chosen_{field - 1}")(chosen[..., field - 1])
        z = layers.RMSNormalization(name=f"{name}_norm")(x)
        z = layers.Dense(config["head_width"], use_bias=False, name=f"{name}_up")(z)
        z = ops.square(ops.relu(z))
        begin = _last(config)
        outputs.append(layers.Dense(BINS[field], name=f"{name}_out", dtype="float32", **begin)(z))
    return keras.Model(inputs, layers.Concatenate(dtype="float32")(outputs))


def _last(config: Mapping[str, Any]) -> dict[str, str]:
    """How the weights begin of what a block adds, and of logits."""
    return {"kernel_initializer": "zeros" if config.get("zero_begin") else "glorot_uniform"}


def _matrix(width: int, name: str, **begin: Any) -> Any:
    """A layer that is one matrix of weights."""
    from keras import layers

    return layers.Dense(width, use_bias=False, name=name, **begin)


def _told_composer(composer: Any, width: int) -> Any:
    """What the composer adds to every note: (batch, composers + 1) -> (batch, 1, width).

    All composers begin alike: rows that differ by chance move all their notes by chance.
    """
    from keras import initializers, ops

    class Alike(initializers.GlorotUniform):  # type: ignore[misc, name-defined, unused-ignore]
        def __call__(self, shape: Any, dtype: Any = None) -> Any:
            return ops.zeros(shape, dtype) + super().__call__(shape, dtype)[:1]

    rows = _matrix(width, "composer_table", kernel_initializer=Alike())
    return rows(composer)[:, None, :]


def _with_tables(x: Any, numbers: Any, sizes: Sequence[int], name: str) -> Any:
    """`x` (..., width) and a row for each of `numbers` (batch, window, columns), added up.

    Each column has a table of its own, of as many rows as `sizes` says.
    """
    for column, rows in enumerate(sizes):
        x = x + _table(rows, x.shape[-1], f"{name}_{column}")(numbers[..., column])
    return x


def _table(rows: int, width: int, name: str) -> Any:
    """A layer that has a row of `width` weights for each of `rows` numbers."""
    from keras import layers

    return layers.Embedding(rows, width, embeddings_initializer="glorot_uniform", name=name)


def _blocks(x: Any, notes: Any, config: Mapping[str, Any]) -> Any:
    """The attention and feed-forward blocks: (batch, window, width) -> the same.

    Of `notes` (batch, window, n) only the shape counts.
    """
    from keras import layers, ops

    rotary = _rotary(notes[..., 0], config["width"] // config["heads"])
    first, values = x, None
    for number in range(config["layers"]):
        if config.get("input_mix"):
            x = _mixed(x, first, f"mix_{number}", (1.0, 0.0))
        z = layers.RMSNormalization(name=f"before_{number}")(x)
        z, values = _attention(z, values, rotary, number, config)
        x = x + z
        z = layers.RMSNormalization(name=f"between_{number}")(x)
        z = ops.square(ops.relu(_matrix(config["ffn_dim"], f"up_{number}")(z)))
        x = x + _matrix(config["width"], f"down_{number}", **_last(config))(z)
    return x


def _mixed(x: Any, first: Any, name: str, begin: tuple[float, float]) -> Any:
    """a x + b first, where a and b are learned and begin as `begin`."""
    from keras import layers, ops

    class Mix(layers.Layer):  # type: ignore[misc, name-defined, unused-ignore]
        def build(self, *_: Any) -> None:
            self.scale = self.add_weight(
                shape=(2,), initializer=lambda *_, **__: ops.array(begin), name="scale"
            )

        def call(self, x: Any, first: Any) -> Any:
            return self.scale[0] * x + self.scale[1] * first

    return Mix(name=name)(x, first)


def _attention(
    x: Any, values: Any, rotary: tuple[Any, Any], number: int, config: Mapping[str, Any]
) -> tuple[Any, Any]:
    """What block `number`'s attention adds, and the first block's values (`values` later)."""
    from keras import layers, ops

    width, heads = config["width"], config["heads"]
    size = width // heads
    joined = _matrix(width + 2 * size, f"qkv_{number}")(x)
    q = layers.Reshape((-1, heads, size))(joined[..., :width])
    one_head = layers.Reshape((-1, 1, size))
    k, v = one_head(joined[..., width : width + size]), one_head(joined[..., width + size :])
    if config.get("value_mix"):
        values, v = (
            (v, v)
            if values is None
            else (values, _mixed(v, values, f"value_mix_{number}", (0.5, 0.5)))
        )
    if config.get("qk_norm"):
        q, k = (ops.rms_normalization(part, epsilon=EPSILON) for part in (q, k))
    k, v = (ops.repeat(part, heads, axis=2) for part in (_rotated(k, *rotary), v))
    scale = query_scale(config)
    out = ops.dot_product_attention(_rotated(q, *rotary), k, v, is_causal=True, scale=scale)
    out = layers.Reshape((-1, width))(out)
    return _matrix(width, f"out_{number}", **_last(config))(out), values


def _rotary(like: Any, size: int) -> tuple[Any, Any]:
    """cos and sin of every place's angles, (batch, window, 1, size / 2).

    Places are counted from the data, `like` (batch, window), because the window's length is not
    known when the model is built.
    """
    from keras import ops

    place = ops.cumsum(ops.ones_like(like, dtype="float32"), axis=1) - 1.0
    speed = ops.power(10000.0, -ops.arange(0, size, 2, dtype="float32") / size)
    angle = place[:, :, None, None] * speed
    return ops.cos(angle), ops.sin(angle)


def _rotated(x: Any, cos: Any, sin: Any) -> Any:
    from keras import ops

    half = x.shape[-1] // 2
    left, right = x[..., :half], x[..., half:]
    cos, sin = ops.cast(cos, x.dtype), ops.cast(sin, x.dtype)
    return ops.concatenate([left * cos - right * sin, right * cos + left * sin], axis=-1)


def export(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The step graph and its heads.

    The step graph goes from what is read and asked to what the heads begin with:
    (batch, steps, width).

    Inputs: notes, wishes (as numbers), composer, cos, sin, mask, the cache and, where it was
    taught so, sounding. The heads are a
    graph of their own, because a random draw stands between each two of them.
    """
    size = config["width"] // config["heads"]
    graph = Graph(
        weights,
        inputs={
            "notes": ("batch", "steps", len(READ)),
            "wishes": ("batch", "steps", len(WISHES)),
            "composer": ("batch", len(config["composers"]) + 1),
            "cos": ("steps", size // 2),
            "sin": ("steps", size // 2),
            "mask": ("steps", "seen"),
        },
        stored=config.get("weight_dtype", "float16"),
    )
    told = graph.op("MatMul", "composer", graph.weight("composer_table/kernel"))
    x = graph.unsqueeze(told, 1)
    for name, sizes in (("notes", READ), ("wishes", WISHES)):
        rows = graph.cast_int(name)
        for column in range(len(sizes)):
            table = f"{'read' if name == 'notes' else 'wish'}_{column}/embeddings"
            row = graph.squeeze(graph.slice(rows, 2, column, column + 1), 2)
            x = graph.op("Add", x, graph.gather(table, row))
    if config.get("sounding"):
        sounding = graph.input("sounding", ("batch", "steps", KEYS))
        heard = graph.op("MatMul", sounding, graph.weight("sounding_table/kernel"))
        x = graph.op("Add", x, heard)
    x = _blocks_graph(graph, x, config)
    return {"model.onnx": graph.model(x), "heads.onnx": _heads(weights, config)}


def _blocks_graph(graph: Graph, x: str, config: Mapping[str, Any]) -> str:
    """What `_blocks` is in a step graph, which has the inputs cos, sin and mask."""
    first, values = x, None
    for number in range(config["layers"]):
        if config.get("input_mix"):
            x = mixed(graph, x, first, f"mix_{number}")
        z = rms_norm(graph, x, f"before_{number}")
        z, values = attention(graph, z, values, number, config)
        x = graph.op("Add", x, z)
        z = rms_norm(graph, x, f"between_{number}")
        z = graph.op("Relu", graph.op("MatMul", z, graph.weight(f"up_{number}/kernel")))
        z = graph.op("Mul", z, z)
        x = graph.op("Add", x, graph.op("MatMul", z, graph.weight(f"down_{number}/kernel")))
    return x


def _heads(weights: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """The four heads: `hidden` (batch, steps, width) and `chosen` (batch, steps, 3) -> logits."""
    inputs = {"hidden": ("batch", "steps", config["width"]), "chosen": ("batch", "steps", 3)}
    graph = Graph(weights, inputs=inputs, stored=config.get("weight_dtype", "float16"))
    rows, x, outputs = graph.cast_int("chosen"), "hidden", []
    for field, name in enumerate(FIELDS):
        if field:
            row = graph.squeeze(graph.slice(rows, 2, field - 1, field), 2)
            x = graph.op("Add", x, graph.gather(f"chosen_{field - 1}/embeddings", row))
        z = rms_norm(graph, x, f"{name}_norm")
        z = graph.op("Relu", graph.op("MatMul", z, graph.weight(f"{name}_up/kernel")))
        outputs.append(graph.dense(graph.op("Mul", z, z), f"{name}_out"))
    return graph.model(graph.op("Concat", *outputs, axis=2))


FAMILY = Family(
    config=Config,
    build=build,
    export=export,
    generator=NoteGenerator,
    scores=note_scores,
    quick_scores=quick_note_scores,
    teaching=Lessons(NoteWindows, note_loss, note_metrics, note_count),
    statistics=note_statistics,
)
