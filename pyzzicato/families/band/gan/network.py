"""The generator of the GAN for a band, and the encoder that teaches it what its noise is for.

Both read and write the rows of `band.planes`: a window of 32 steps, 733 planes each,
convolved along time only. The generator goes on from a window (`cond`): six transposed
convolutions from a noise of 100 numbers, each told what stood in the window before at the same
place. Gates, one for each kind of plane at each step, let through what stood there, so that a
note can be played again without being learned anew. `cond` (batch, 32, 1471) holds the window
before, what is given of the new one, and which of the five instruments are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.families.band.planes import PARTS, WIDTH
from pyzzicato.runtime.graph_builder import Graph

__all__ = ["COND", "NOISE", "GanConfig", "encoder", "generator", "generator_graph"]

NOISE = 100
COND = 2 * WIDTH + 5
DEPTH = 4  # convolutions that read the window before, each but the first halving the steps
BAR = WINDOW // 2
KINDS = 2 * len(PARTS) - 1  # of planes: drums, then struck and sounding of the rest
MOST_VARIANCE = 8.0  # of a logarithm
STARTS = -5.0  # the output's bias: most cells are silent
SLOPE = 0.2  # of the leaky rectifiers


@dataclass(frozen=True)
class GanConfig:
    """The keys of [config] and [training.augmentation]."""

    channels: int
    wide: int
    seeded: int
    discriminator: int
    encoder: int
    beta: float
    recipe: str = ""


def _lengths() -> list[int]:
    """How many planes there are of each kind."""
    found = []
    for part, (first, end) in enumerate(PARTS):
        found += [(end - first) // 2] * 2 if part else [end - first]
    return found


def _kind_of() -> np.ndarray:
    """Which kind each plane is, (9, 733) of 0 and 1."""
    kinds: np.ndarray = np.repeat(np.eye(KINDS, dtype=np.float32), _lengths(), axis=1)
    return kinds


def generator(config: Mapping[str, Any]) -> Any:
    """The Keras model: noise (batch, 100), cond (batch, 32, 1471) -> logits (batch, 32, 733).

    `config` has channels (of a convolution), wide (of the two last) and seeded (of the noise).
    Logits are as `band_planes.draw_window` wants them: struck, and going on where it sounded.
    """
    import keras
    from keras import initializers, layers, ops

    noise, cond = keras.Input((NOISE,), name="noise"), keras.Input((WINDOW, COND), name="cond")
    read = _read(cond, config["channels"], "read")
    rows = WINDOW // 2 ** (DEPTH - 1)
    x = layers.Dense(rows * config["seeded"], name="seeded")(noise)
    x = ops.reshape(x, (-1, rows, config["seeded"]))
    for number in range(5):
        if number < DEPTH:
            x = ops.concatenate([x, read[DEPTH - 1 - number]], axis=-1)
        length, stride, width = _deconv(number, config)
        x = layers.Conv1DTranspose(
            width,
            length,
            strides=stride,
            padding="same",
            kernel_initializer=_start(),
            name=f"deconv_{number}",
        )(x)
        x = ops.leaky_relu(x, SLOPE)
    logits = layers.Conv1DTranspose(
        WIDTH,
        1,
        kernel_initializer=initializers.RandomNormal(stddev=0.03),
        bias_initializer=initializers.Constant(STARTS),
        name="deconv_5",
    )(x)
    opened = initializers.Constant(1.0)
    gates = layers.Conv1D(2 * KINDS, 1, bias_initializer=opened, name="gates")(x)
    return keras.Model([noise, cond], logits + _copied(cond, gates), name="generator")


def _copied(cond: Any, gates: Any) -> Any:
    """What the gates let through of the window before, and of it with its two bars exchanged."""
    from keras import ops

    before, kinds = cond[..., :WIDTH], ops.convert_to_tensor(_kind_of())
    turned = ops.concatenate([before[:, BAR:], before[:, :BAR]], axis=1)
    first, second = ops.split(gates, 2, axis=-1)
    return before * ops.matmul(first, kinds) + turned * ops.matmul(second, kinds)


def encoder(config: Mapping[str, Any]) -> Any:
    """The Keras model: what came (batch, 32, 733), cond -> mean and log of the variance of the
    noise that it could be made of, (batch, 200)."""
    import keras
    from keras import layers, ops

    window = keras.Input((WINDOW, WIDTH), name="window")
    cond = keras.Input((WINDOW, COND), name="cond")
    x = ops.concatenate([window, cond[..., :WIDTH]], axis=-1)
    x = _read(x, config["encoder"], "guess")[-1]
    found = layers.Dense(2 * NOISE, name="guess")(layers.Flatten()(x))
    mean, log_var = ops.split(found, 2, axis=-1)
    log_var = MOST_VARIANCE * ops.tanh(log_var / MOST_VARIANCE)
    return keras.Model([window, cond], ops.concatenate([mean, log_var], axis=-1), name="encoder")


def _read(x: Any, channels: int, name: str) -> list[Any]:
    """What the convolutions that read a window make of it, one after the other.

    Their weights are called `name`_0 and so on.
    """
    from keras import layers, ops

    found = []
    for depth in range(DEPTH):
        length, stride = _conv(depth)
        x = layers.Conv1D(
            channels,
            length,
            strides=stride,
            padding="same",
            kernel_initializer=_start(depth == 0),
            name=f"{name}_{depth}",
        )(x)
        x = ops.leaky_relu(x, SLOPE)
        found.append(x)
    return found


def _conv(depth: int) -> tuple[int, int]:
    """Kernel and stride of a convolution that reads a window."""
    return (1, 1) if depth == 0 else (4, 2)


def _deconv(number: int, config: Mapping[str, Any]) -> tuple[int, int, int]:
    """Kernel, stride and channels of a transposed convolution but the last."""
    if number == 4:
        return 3, 1, config["wide"]
    return (4, 2, config["channels"]) if number < DEPTH - 1 else (3, 1, config["channels"])


def _start(first: bool = False) -> Any:
    """Where a kernel starts: of 1,471 planes some 20 are 1 at a time, so that the first layer's
    is larger than usual."""
    from keras import initializers

    return initializers.RandomNormal(stddev=0.2) if first else "he_normal"


def generator_graph(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The generator in ONNX: noise, cond -> output, as in `generator`; large weights as int8."""
    inputs = {"noise": ("batch", NOISE), "cond": ("batch", WINDOW, COND)}
    graph = Graph(weights, inputs, stored="int8")
    x = cond = graph.op("Transpose", "cond", perm=[0, 2, 1])
    read = []
    for depth in range(DEPTH):
        x = graph.convolved(x, f"read_{depth}", _conv(depth)[1])
        x = graph.op("LeakyRelu", x, alpha=SLOPE)
        read.append(x)
    rows = WINDOW // 2 ** (DEPTH - 1)
    x = graph.reshape(graph.dense("noise", "seeded"), (-1, rows, config["seeded"]))
    x = graph.op("Transpose", x, perm=[0, 2, 1])
    for number in range(5):
        if number < DEPTH:
            x = graph.op("Concat", x, read[DEPTH - 1 - number], axis=1)
        x = graph.convolved(x, f"deconv_{number}", _deconv(number, config)[1], transposed=True)
        x = graph.op("LeakyRelu", x, alpha=SLOPE)
    logits = graph.convolved(x, "deconv_5", 1, transposed=True)
    gates = graph.split(graph.convolved(x, "gates", 1), 1, *[1] * (2 * KINDS))
    before = graph.slice(cond, 1, 0, WIDTH)
    halves = graph.split(before, 2, BAR, BAR)
    turned = graph.op("Concat", *reversed(halves), axis=2)
    for place, source in enumerate((before, turned)):
        through = [
            graph.op("Mul", planes, gates[place * KINDS + kind])
            for kind, planes in enumerate(graph.split(source, 1, *_lengths()))
        ]
        logits = graph.op("Add", logits, graph.op("Concat", *through, axis=1))
    return {"model.onnx": graph.model(graph.op("Transpose", logits, perm=[0, 2, 1]))}
