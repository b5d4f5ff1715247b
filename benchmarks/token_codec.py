"""The flagship with four tokens a note in place of one step: what `equal_time.py` compares it with.

The same notes are written as a row of tokens, four a note: time, pitch, duration, velocity, in the
same bins (128 + 88 + 96 + 32), and one more for "no note" where a window or its part begins. The
network reads a token and tells the next one; which of the four that is follows from the one read.
Blocks of attention, width, composer table and wishes, which are added to every token of a note,
are the flagship's; its four heads and what each is told of those before it fall away, as the next
token brings that. Pitch classes and intervals, which the flagship reads of the note before, are
left to the network.

It takes the inputs of `pyzzicato.performance_examples` and gives logits in the flagship's order,
(batch, window, 344), so that examples, loss and bits per note are those of the flagship, field by
field: of each position only the bins of the field that comes next are asked.

`notes_per_second` times both networks as they write: one token, or one note, at a time, with keys
and values kept of as much music as a window has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from generation import in_turn

from pyzzicato.attention_graph import rms_norm
from pyzzicato.codecs.performance import BINS
from pyzzicato.families.transformer import (
    FIELDS,
    blocks,
    blocks_graph,
    table,
    told_composer,
    with_tables,
)
from pyzzicato.note_graph import NoteGraph
from pyzzicato.note_writer import NoteHeads
from pyzzicato.performance_examples import READ, WISHES
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime import CachedGraph, weights_of
from pyzzicato.step_graph import Graph

__all__ = ["EDGES", "NO_NOTE", "build", "export", "notes_per_second", "tokens_of"]

# Where each field's tokens begin, and the end of the last.
EDGES = tuple(sum(BINS[:field]) for field in range(len(BINS) + 1))
NO_NOTE = EDGES[-1]  # the token that is read before a first note
WORDS = NO_NOTE + 1
EACH = len(BINS)  # tokens a note
TAKES = (1, 10)
PORTION = 256  # steps that are read together when a cache is filled
Numbers = np.ndarray


def tokens_of(codes: Numbers) -> Numbers:
    """What is read before each token of the codes (..., notes, 4): (..., 4 x notes)."""
    told = (codes + np.array(EDGES[:EACH])).reshape(*codes.shape[:-2], -1)
    first = np.full((*told.shape[:-1], 1), NO_NOTE)
    return np.concatenate([first, told[..., :-1]], axis=-1)


def build(config: Mapping[str, Any]) -> Any:
    """The Keras model, with the inputs and the output of `pyzzicato.families.transformer.build`.

    Of `notes` it reads the velocity of the note before, of `chosen` everything.
    """
    import keras
    from keras import layers, ops

    width = config["width"]
    notes = keras.Input((None, len(READ)), dtype="int32", name="notes")
    wishes = keras.Input((None, len(WISHES)), dtype="int32", name="wishes")
    chosen = keras.Input((None, 3), dtype="int32", name="chosen")
    composer = keras.Input((len(config["composers"]) + 1,), name="composer")

    read = [notes[..., 3:4] + EDGES[3]]  # its "no note", 32, becomes NO_NOTE
    read += [chosen[..., field : field + 1] + EDGES[field] for field in range(3)]
    tokens = layers.Reshape((-1, 1))(ops.concatenate(read, axis=-1))
    x = table(WORDS, width, "tokens")(tokens[..., 0])
    asked = with_tables(told_composer(composer, width), wishes, WISHES, "wish")
    x = x + ops.repeat(asked, EACH, axis=1)
    x = blocks(x, tokens, config)
    x = layers.RMSNormalization(name="last_norm")(x)
    x = layers.Reshape((-1, EACH, width))(x)
    outputs = [
        layers.Dense(BINS[field], name=f"{name}_out", dtype="float32")(x[:, :, field])
        for field, name in enumerate(FIELDS)
    ]
    return keras.Model(
        [notes, wishes, chosen, composer], layers.Concatenate(dtype="float32")(outputs)
    )


def export(weights: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """The step graph: a step is a token, and gives the logits of all tokens but "no note".

    Inputs: notes (batch, steps, 1), which are tokens, wishes (batch, steps, 5), composer, cos, sin,
    mask and the cache. Logits of the fields that do not come next mean nothing.
    """
    size = config["width"] // config["heads"]
    inputs: dict[str, tuple[int | str, ...]] = {
        "notes": ("batch", "steps", 1),
        "wishes": ("batch", "steps", len(WISHES)),
        "composer": ("batch", len(config["composers"]) + 1),
        "cos": ("steps", size // 2),
        "sin": ("steps", size // 2),
        "mask": ("steps", "seen"),
    }
    graph = Graph(weights, inputs, stored=config.get("stored", "float16"))
    told = graph.op("MatMul", "composer", graph.weight("composer_table/kernel"))
    x = graph.gather("tokens/embeddings", graph.squeeze(graph.cast_int("notes"), 2))
    x = graph.op("Add", x, graph.unsqueeze(told, 1))
    rows = graph.cast_int("wishes")
    for column in range(len(WISHES)):
        row = graph.squeeze(graph.slice(rows, 2, column, column + 1), 2)
        x = graph.op("Add", x, graph.gather(f"wish_{column}/embeddings", row))
    x = rms_norm(graph, blocks_graph(graph, x, config), "last_norm")
    fields = [graph.dense(x, f"{name}_out") for name in FIELDS]
    return graph.model(graph.op("Concat", *fields, axis=2))


def notes_per_second(info: ModelInfo, rounds: int = 5, notes: int = 40) -> dict[str, Any]:
    """Notes a second in all takes, of both networks, for one take and ten: medians of `rounds`.

    `info` is the flagship; the other network has its blocks' weights, and others drawn by lot.
    "times" is how many times as fast the flagship is. Both networks, each for both numbers of
    takes, take turns; in a turn each take is written `notes` notes, the likeliest each time.
    """
    import onnx

    with TemporaryDirectory() as folder:
        path = Path(folder) / "tokens.onnx"
        config = {**info.config, "composers": info.composers}
        onnx.save(export(_drawn(info), config), str(path))
        notes_graph, tokens_graph = NoteGraph(info.weights), CachedGraph(path)
        writers = {("transformer", n): by_note(info, notes_graph, n) for n in TAKES}
        writers |= {("tokens", n): by_token(info, tokens_graph, n) for n in TAKES}
    timed = {f"{name} {takes}": _timed(w, notes) for (name, takes), w in writers.items()}
    seconds = in_turn(timed, rounds)
    found: dict[str, Any] = {
        name: {f"{takes}": round(takes / seconds[f"{name} {takes}"], 1) for takes in TAKES}
        for name in ("transformer", "tokens")
    }
    times = {f"{n}": seconds[f"tokens {n}"] / seconds[f"transformer {n}"] for n in TAKES}
    return {**found, "times": {takes: round(each, 2) for takes, each in times.items()}}


def _timed(write: Callable[[], None], notes: int) -> Callable[[], float]:
    def variant() -> float:
        begun = perf_counter()
        for _ in range(notes):
            write()
        return (perf_counter() - begun) / notes

    return variant


def _drawn(info: ModelInfo) -> dict[str, Numbers]:
    """Weights of a token network: the flagship's where it has them, others by lot."""
    dice = np.random.default_rng(1)
    width = info.config["width"]
    shapes: dict[str, tuple[int, ...]] = {"tokens/embeddings": (WORDS, width)}
    for bins, name in zip(BINS, FIELDS, strict=True):
        shapes |= {f"{name}_out/kernel": (width, bins), f"{name}_out/bias": (bins,)}
    drawn = {name: dice.normal(0.0, 0.05, shape) for name, shape in shapes.items()}
    return {**weights_of(info.weights), **drawn, "last_norm/scale": np.ones(width)}


def _filled(advance: Any, cache: Any, feed: Mapping[str, Numbers], takes: int) -> Any:
    """`cache`, of a graph or a note graph, full of `feed`, (1, places, n) each, for many takes."""
    places = feed["notes"].shape[1]
    for first in range(0, places, PORTION):
        part = slice(first, first + PORTION)
        now = {name: v if name == "composer" else v[:, part] for name, v in feed.items()}
        advance(now, cache)
    return cache.repeated(takes)


def _asked(info: ModelInfo, batch: int, steps: int) -> dict[str, Numbers]:
    composer = np.zeros((batch, len(info.composers) + 1), np.float32)
    composer[:, 0] = 1.0
    return {"wishes": np.zeros((batch, steps, len(WISHES)), np.float32), "composer": composer}


def by_note(info: ModelInfo, graph: NoteGraph, takes: int) -> Callable[[], None]:
    """Writes one note of every take: one step of the network, then its heads, as it is played."""
    heads = NoteHeads(weights_of(info.folder / "heads.onnx"))
    places, dice = int(info.config["places"]), np.random.default_rng(1)
    read = np.stack([dice.integers(0, rows, (1, places)) for rows in READ], -1).astype(np.float32)
    feed = {"notes": read, **_asked(info, 1, places)}
    cache = _filled(graph.advance, graph.cache(1, places), feed, takes)
    last = {"notes": np.repeat(read[:, -1:], takes, axis=0), **_asked(info, takes, 1)}

    def write() -> None:
        hidden = graph.advance(last, cache)[:, -1]
        for field in range(EACH):
            chosen = heads.logits(hidden, field).argmax(axis=-1)
            last["notes"][:, 0, field] = chosen
            if field < EACH - 1:
                hidden = heads.told(hidden, field, chosen)

    return write


def by_token(info: ModelInfo, graph: CachedGraph, takes: int) -> Callable[[], None]:
    """Writes one note of every take: four steps of the network."""
    places, dice = int(info.config["places"]), np.random.default_rng(1)
    codes = np.stack([dice.integers(0, bins, (1, places)) for bins in BINS], axis=-1)
    read = tokens_of(codes)[..., None].astype(np.float32)
    feed = {"notes": read, **_asked(info, 1, EACH * places)}
    cache = _filled(graph.advance, graph.cache(1, EACH * places), feed, takes)
    last = {"notes": np.full((takes, 1, 1), EDGES[3], np.float32), **_asked(info, takes, 1)}

    def write() -> None:
        for field in range(EACH):
            logits = graph.advance(last, cache)[:, -1, EDGES[field] : EDGES[field + 1]]
            last["notes"][:, 0, 0] = EDGES[field] + logits.argmax(axis=-1)

    return write
