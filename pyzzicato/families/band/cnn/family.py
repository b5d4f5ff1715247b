"""A MelodyCNN for the piano and four HarmonyCNNs for the others, two bars at a time.

Source: Skourogiannis and Pallikaris. The MelodyCNN makes two bars of the piano of the two before,
with three convolutions, three dense layers and three transposed convolutions; a HarmonyCNN for
each other instrument reads the piano of the same two bars and its own of the two before, each by
three convolutions, joins them, and writes by dense layers and transposed convolutions. Not stated
there and decided here: all widths, AdamW, the data.
Differs from the source in: convolutions run along time, with the pitches as channels; music is
moved to C major or A minor and back. With `noise` above 0 in the config, eight normal numbers go
into each network beside: they are taught as a VAE teaches its own (Kingma and Welling, 2014; Sohn
et al., 2015), from what really follows, so that other numbers give other music. With `noise = 0`
there is only one way on from two bars, as published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.families.band.cnn.evaluate import cnn_told
from pyzzicato.families.band.cnn.generate import CnnGenerator
from pyzzicato.families.band.evaluate import Variant, band_scores
from pyzzicato.families.band.pairs import BandPairs
from pyzzicato.families.band.planes import PARTS, WIDTH, band_nats
from pyzzicato.metrics.scores import Sheet
from pyzzicato.music.instruments import INSTRUMENTS
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.graph_builder import Graph
from pyzzicato.training.family import Family, Lessons

__all__ = ["FAMILY", "build", "examples", "export", "loss", "metrics", "scores"]


PIANO = 1
NAMES = tuple(name.lower() for name in INSTRUMENTS)
DEPTH, KERNEL, STRIDE = 3, 4, 2
STEPS = WINDOW // STRIDE**DEPTH
MOST_VARIANCE = 8.0  # of a logarithm
TERMS = ("nats", "kl", "kl_cost")
"""What the Keras model tells of each pair of windows; `loss` adds up the first and the last."""


@dataclass(frozen=True)
class Config:
    """The keys of [config] and [training.augmentation]."""

    channels: Sequence[int]
    dense: int
    noise: int
    beta: float
    free: float
    dropout: float
    joining: float = 0.0


def examples(pieces: Sequence[Piece], config: Mapping[str, Any], *, training: bool) -> BandPairs:
    """Pairs of windows, with the normal numbers of the noise."""
    joining = config["joining"] if training else 0.0
    return BandPairs(pieces, config, len(NAMES) * config["noise"], joining)


def loss(y_true: Any, y_pred: Any) -> Any:
    """Nats of the second windows, and the cost of the noise."""
    from keras import ops

    return ops.mean(y_pred[:, 0] + y_pred[:, 2])


def metrics() -> list[Any]:
    """The parts of the loss; shown while training."""
    from keras import ops

    def part(place: int) -> Any:
        def mean(y_true: Any, y_pred: Any) -> Any:
            return ops.mean(y_pred[:, place])

        mean.__name__ = TERMS[place]
        return mean

    return [part(place) for place in range(len(TERMS))]


def build(config: Mapping[str, Any]) -> Any:
    """The Keras model: roll (batch, 65, 733), noise (batch, 40) -> `TERMS` (batch, 3).

    `config` has channels (of the three convolutions), dense (width), noise (numbers of each
    instrument, 0 for none), beta and free (of their KL divergence), dropout (of what is read).
    """
    import keras
    from keras import layers, ops

    size = config["noise"]
    roll = keras.Input((1 + 2 * WINDOW, WIDTH), name="roll")
    noise = keras.Input((len(NAMES) * size,), name="noise")
    before, cells = roll[:, WINDOW:-1], roll[:, 1 + WINDOW :]
    forget = layers.Dropout(config["dropout"])
    piano = cells[..., slice(*PARTS[PIANO])]
    nats, divergence = [], []
    for part, (name, (first, end)) in enumerate(zip(NAMES, PARTS, strict=True)):
        mine = cells[..., first:end]
        read = [_reader(f"{name}_before", config)(forget(roll[:, 1 : 1 + WINDOW, first:end]))]
        if part != PIANO:
            read.insert(0, _reader(f"{name}_piano", config)(piano))
        joined = ops.concatenate(read, axis=-1) if len(read) > 1 else read[0]
        drawn = []
        if size:
            told = [_reader(f"{name}_after", config)(mine), joined]
            guess = layers.Dense(2 * size, name=f"{name}_guess")(ops.concatenate(told, axis=-1))
            mean, log_var = ops.split(guess, 2, axis=-1)
            log_var = MOST_VARIANCE * ops.tanh(log_var / MOST_VARIANCE)
            blur = noise[:, part * size : (part + 1) * size]
            drawn = [mean + ops.exp(0.5 * log_var) * blur]
            divergence.append(0.5 * (ops.exp(log_var) + mean * mean - 1 - log_var))
        logits = _writer(name, config, end - first)(joined, drawn)
        nats.append(ops.sum(band_nats(before[..., first:end], mine, logits, part), axis=1))
    told = sum(nats)
    kl = ops.concatenate(divergence, axis=-1) if divergence else ops.zeros_like(told)[:, None]
    least = ops.sum(ops.maximum(ops.mean(kl, axis=0), config["free"] if size else 0.0))
    cost = ops.zeros_like(told) + config["beta"] * least
    return keras.Model([roll, noise], ops.stack([told, ops.sum(kl, axis=-1), cost], axis=-1))


def _reader(name: str, config: Mapping[str, Any]) -> Any:
    """Three convolutions: (batch, 32, width) -> (batch, 4 x channels)."""
    from keras import layers, ops

    found = [
        layers.Conv1D(channels, KERNEL, STRIDE, "same", activation="relu", name=f"{name}_{depth}")
        for depth, channels in enumerate(config["channels"])
    ]

    def read(x: Any) -> Any:
        for layer in found:
            x = layer(x)
        return ops.reshape(x, (-1, STEPS * config["channels"][-1]))

    return read


def _dense(config: Mapping[str, Any], part: int) -> tuple[int, ...]:
    """The widths of the dense layers: three of the MelodyCNN, two of a HarmonyCNN."""
    last = STEPS * config["channels"][-1]
    return (config["dense"],) * (2 if part == PIANO else 1) + (last,)


def _writer(name: str, config: Mapping[str, Any], width: int) -> Any:
    """Dense layers, the noise coming in before the last, and three transposed convolutions."""
    from keras import initializers, layers, ops

    dense = [
        layers.Dense(units, activation="relu", name=f"{name}_dense_{number}")
        for number, units in enumerate(_dense(config, NAMES.index(name)))
    ]
    widths = (*reversed(config["channels"][:-1]), width)
    wide = [
        layers.Conv1DTranspose(
            channels,
            KERNEL,
            STRIDE,
            "same",
            activation="relu" if number < DEPTH - 1 else None,
            bias_initializer=initializers.Constant(0.0 if number < DEPTH - 1 else -4.0),
            name=f"{name}_wide_{number}",
        )
        for number, channels in enumerate(widths)
    ]

    def write(x: Any, drawn: list[Any]) -> Any:
        for layer in dense[:-1]:
            x = layer(x)
        x = dense[-1](ops.concatenate([x, *drawn], axis=-1) if drawn else x)
        x = ops.reshape(x, (-1, STEPS, config["channels"][-1]))
        for layer in wide:
            x = layer(x)
        return x

    return write


def export(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The block graph: the logits of two bars from the two before.

    In: `previous` and `piano`, windows as planes (batch, 32, 733), what came before and the new
    piano (its other columns are not looked at); where there is noise also `noise` (batch, 5, 8),
    `after` (batch, 32, 733) and `teach` (batch, 1): 0 takes the noise as it is, 1 draws it with
    what really comes after in mind. Out: `output` (batch, 32, 733); `told` (batch, 5, 2, 8), mean
    and log of the variance of the noise by what comes after.
    """
    size = config["noise"]
    rows: tuple[int | str, ...] = ("batch", WINDOW, WIDTH)
    inputs = {"previous": rows, "piano": rows}
    if size:
        inputs |= {"after": rows, "noise": ("batch", 5, size), "teach": ("batch", 1)}
    graph = Graph(weights, inputs, stored="int8")
    seen = {name: graph.op("Transpose", name, perm=[0, 2, 1]) for name in ("previous", "piano")}
    if size:
        seen["after"] = graph.op("Transpose", "after", perm=[0, 2, 1])
    played, told = [], []
    for part, name in enumerate(NAMES):
        joined = _read(graph, f"{name}_before", seen["previous"], part, config)
        if part != PIANO:
            piano = _read(graph, f"{name}_piano", seen["piano"], PIANO, config)
            joined = graph.op("Concat", piano, joined, axis=1)
        drawn = ""
        if size:
            after = _read(graph, f"{name}_after", seen["after"], part, config)
            guess = graph.dense(graph.op("Concat", after, joined, axis=1), f"{name}_guess")
            drawn, both = _drawn(graph, guess, part, size)
            told.append(both)
        played.append(_written(graph, part, joined, drawn, config))
    if told:
        graph.output("told", graph.op("Concat", *told, axis=1), ("batch", 5, 2, size))
    output = graph.op("Transpose", graph.op("Concat", *played, axis=1), perm=[0, 2, 1])
    return {"model.onnx": graph.model(output, rows)}


def _read(graph: Graph, name: str, value: str, part: int, config: Mapping[str, Any]) -> str:
    """Three convolutions of one instrument's planes; (batch, 4 x channels), as Keras orders it."""
    x = graph.slice(value, 1, *PARTS[part])
    for depth in range(DEPTH):
        x = graph.op("Relu", graph.convolved(x, f"{name}_{depth}", STRIDE))
    x = graph.op("Transpose", x, perm=[0, 2, 1])
    return graph.reshape(x, (-1, STEPS * config["channels"][-1]))


def _drawn(graph: Graph, guess: str, part: int, size: int) -> tuple[str, str]:
    """The noise that a network gets; mean and log of the variance by what comes after."""
    mean, log_var = graph.split(guess, 1, size, size)
    bent = graph.op("Tanh", graph.op("Mul", log_var, graph.number(1 / MOST_VARIANCE)))
    log_var = graph.op("Mul", bent, graph.number(MOST_VARIANCE))
    noise = graph.squeeze(graph.slice("noise", 1, part, part + 1), 1)
    spread = graph.op("Exp", graph.op("Mul", log_var, graph.number(0.5)))
    taught = graph.op("Add", mean, graph.op("Mul", spread, noise))
    way = graph.op("Mul", "teach", graph.op("Sub", taught, noise))
    both = graph.op("Concat", graph.unsqueeze(mean, 1), graph.unsqueeze(log_var, 1), axis=1)
    return graph.op("Add", noise, way), graph.unsqueeze(both, 1)


def _written(graph: Graph, part: int, x: str, drawn: str, config: Mapping[str, Any]) -> str:
    """(batch, width, 32) logits of one instrument."""
    name, widths = NAMES[part], _dense(config, part)
    for number in range(len(widths)):
        if drawn and number == len(widths) - 1:
            x = graph.op("Concat", x, drawn, axis=1)
        x = graph.op("Relu", graph.dense(x, f"{name}_dense_{number}"))
    x = graph.reshape(x, (-1, STEPS, config["channels"][-1]))
    x = graph.op("Transpose", x, perm=[0, 2, 1])
    for number in range(DEPTH):
        x = graph.convolved(x, f"{name}_wide_{number}", STRIDE, transposed=True)
        x = graph.op("Relu", x) if number < DEPTH - 1 else x
    return x


def scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> tuple[Sheet, ...]:
    """What `pyzzicato evaluate` measures of a model of this family.

    Where there is a model without noise in `runs/<id>_published`, it is set beside it.
    """
    variants: dict[str, Variant] = {}
    if info.config["noise"]:
        variants["without noise"] = {"variety": 0.0}
    folder = info.folder.parent.parent / "runs" / f"{info.id}_published"
    if (folder / "model.onnx").is_file():
        plain = replace(info, folder=folder, config={**info.config, "noise": 0})
        variants["as published"] = CnnGenerator(plain)
    return band_scores(
        info, dataset, say, told=lambda pieces: cnn_told(info, pieces), variants=variants
    )


FAMILY = Family(
    config=Config,
    build=build,
    export=export,
    generator=CnnGenerator,
    scores=scores,
    teaching=Lessons(examples, loss, metrics),
)
