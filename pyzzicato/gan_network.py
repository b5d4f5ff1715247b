"""The networks of the GAN for a band: generators and discriminators, ours and the published ones.

Ours reads and writes the rows of `pyzzicato.band_planes`: a window of 32 steps, 733 planes each,
convolved along time only. The generator goes on from a window (`cond`): six transposed
convolutions from a noise of 100 numbers, each told what stood in the window before at the same
place. `cond` (batch, 32, 1471) holds the window before, what is given of the new one, and which
of the five instruments are given.

The published one makes a binary roll (32, 128, 5) of 100 numbers and of nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyzzicato.band_planes import PARTS, WIDTH
from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.step_graph import Graph

__all__ = [
    "COND",
    "HALVINGS",
    "KIND_OF",
    "NOISE",
    "REACH",
    "binary",
    "discriminator",
    "generator",
    "generator_graph",
    "given_too",
    "published",
    "published_discriminator",
    "published_generator",
    "published_graph",
]

NOISE = 100
COND = 2 * WIDTH + 5
DEPTH = 4  # convolutions that read the window before, each but the first halving the steps
# Of the published network: steps and pitches that each transposed convolution multiplies by.
PUBLISHED = (((2, 4), 64), ((2, 2), 64), ((2, 2), 48), ((2, 2), 32), ((2, 2), 16), ((1, 2), 5))
KIND_OF = np.zeros((WIDTH, 2 * len(PARTS) - 1), np.float32)
"""Which of the nine kinds of planes each column is: drums, then struck and sounding of the rest."""
for _part, (_first, _end) in enumerate(PARTS):
    _middle = (_first + _end) // 2 if _part else _end
    KIND_OF[_first:_middle, max(2 * _part - 1, 0)] = 1
    KIND_OF[_middle:_end, 2 * _part] = 1
REACH, HALVINGS = 16.0, 14  # thresholds lie within this many logits, found by halving
KERNEL = {1: 3, 2: 4, 4: 4}  # a kernel's length by its stride
STARTS = -5.0  # the output's bias: most cells are silent
SLOPE = 0.2  # of the leaky rectifiers


def published(config: Mapping[str, Any]) -> bool:
    """Whether the config asks for the recipe as published."""
    return bool(config.get("recipe") == "published")


def generator(config: Mapping[str, Any]) -> Any:
    """The Keras model: noise (batch, 100), cond (batch, 32, 1471) -> logits (batch, 32, 733).

    `config` has channels (of a convolution) and wide (of the two last).
    """
    import keras
    from keras import initializers, layers, ops

    noise, cond = keras.Input((NOISE,), name="noise"), keras.Input((WINDOW, COND), name="cond")
    channels, wide = config["channels"], config["wide"]
    read, x = [], cond
    for depth in range(DEPTH):
        kernel, stride = _conv(depth)
        x = layers.Conv1D(
            channels,
            kernel,
            strides=stride,
            padding="same",
            kernel_initializer=_start(depth == 0),
            name=f"read_{depth}",
        )(x)
        x = ops.leaky_relu(x, SLOPE)
        read.append(x)
    rows = WINDOW // 2 ** (DEPTH - 1)
    x = layers.Dense(rows * config["seeded"], name="seeded")(noise)
    x = ops.reshape(x, (-1, rows, config["seeded"]))
    for number in range(6):
        if number < DEPTH:
            x = ops.concatenate([x, read[DEPTH - 1 - number]], axis=-1)
        kernel, stride, width = _deconv(number, channels, wide)
        start = initializers.Constant(STARTS if number == 5 else 0.0)
        x = layers.Conv1DTranspose(
            width,
            kernel,
            strides=stride,
            padding="same",
            kernel_initializer=_start(),
            bias_initializer=start,
            name=f"deconv_{number}",
        )(x)
        if number < 5:
            x = ops.leaky_relu(x, SLOPE)
    return keras.Model([noise, cond], x, name="generator")


def _conv(depth: int) -> tuple[int, int]:
    """Kernel and stride of a convolution that reads the window before."""
    return (1, 1) if depth == 0 else (4, 2)


def _deconv(number: int, channels: int, wide: int) -> tuple[int, int, int]:
    """Kernel, stride and channels of a transposed convolution of our generator."""
    if number == 5:
        return 1, 1, WIDTH
    if number == 4:
        return 3, 1, wide
    return (4, 2, channels) if number < DEPTH - 1 else (3, 1, channels)


def _start(first: bool = False) -> Any:
    """Where a kernel starts: of 1,471 planes some 20 are 1 at a time, so that the first layer's
    is larger than usual."""
    from keras import initializers

    return initializers.RandomNormal(stddev=0.2) if first else "he_normal"


def binary(logits: Any) -> Any:
    """Planes of 0 and 1 from logits (batch, 32, 733); what is struck also sounds.

    Straight-through neurons with thresholds that move: of each kind of plane, as many cells are 1
    as the chances of all of them add up to, the likeliest; the slope is the sigmoid's.
    """
    from keras import ops

    soft = ops.sigmoid(logits)
    fixed = ops.stop_gradient(logits)
    kinds = ops.convert_to_tensor(KIND_OF)
    wanted = ops.matmul(ops.sum(ops.stop_gradient(soft), axis=1), kinds)  # (batch, 9)
    low = ops.zeros_like(wanted) - REACH
    for halving in range(HALVINGS):
        middle = low + REACH / 2**halving
        above = fixed > ops.matmul(middle, ops.transpose(kinds))[:, None]
        many = ops.matmul(ops.sum(ops.cast(above, soft.dtype), axis=1), kinds) > wanted
        low = ops.where(many, middle, low)
    high = low + REACH / 2 ** (HALVINGS - 1)
    hard = ops.cast(fixed > ops.matmul(high, ops.transpose(kinds))[:, None], soft.dtype)
    cells = soft + ops.stop_gradient(hard - soft)
    found = []
    for part, (first, end) in enumerate(PARTS):
        mine = cells[..., first:end]
        if part:
            struck, sounds = ops.split(mine, 2, axis=-1)
            mine = ops.concatenate([struck, ops.maximum(struck, sounds)], axis=-1)
        found.append(mine)
    return ops.concatenate(found, axis=-1)


def given_too(cells: Any, cond: Any) -> Any:
    """The window with the instruments that `cond` gives in place of the generator's."""
    from keras import ops

    found = []
    for part, (first, end) in enumerate(PARTS):
        on = cond[..., 2 * WIDTH + part : 2 * WIDTH + part + 1]
        given = cond[..., WIDTH + first : WIDTH + end]
        found.append(on * given + (1 - on) * cells[..., first:end])
    return ops.concatenate(found, axis=-1)


def discriminator(config: Mapping[str, Any]) -> Any:
    """window (batch, 32, 733), cond -> what its first convolution finds, (batch, 32, channels),
    and a score (batch, 1), higher for real music. Six convolutions under a spectral norm; before
    the last layer, how much the windows of the batch differ among each other."""
    import keras
    from keras import layers, ops

    window = keras.Input((WINDOW, WIDTH), name="window")
    cond = keras.Input((WINDOW, COND), name="cond")
    channels = config["judge"]

    def normed(layer: Any) -> Any:
        return layers.SpectralNormalization(layer, name=layer.name + "_normed")

    x = ops.concatenate([window, cond[..., :WIDTH]], axis=-1)
    first = x = ops.leaky_relu(
        normed(layers.Conv1D(channels, 1, kernel_initializer=_start(True), name="judge_0"))(x),
        SLOPE,
    )
    for number in range(1, 6):
        kernel, stride = (3, 1) if number in (1, 5) else (4, 2)
        layer = layers.Conv1D(
            channels, kernel, strides=stride, padding="same", name=f"judge_{number}"
        )
        x = ops.leaky_relu(normed(layer)(x), SLOPE)
    x = ops.concatenate([x, _differences(x, config["batch"])], axis=-1)
    x = layers.Flatten()(x)
    score = normed(layers.Dense(1, name="score"))(x)
    return keras.Model([window, cond], [first, score], name="discriminator")


def _differences(x: Any, group: int) -> Any:
    """The mean standard deviation over each group of a batch, as one more channel (Karras et
    al., 2018): windows that are all alike give themselves away."""
    from keras import ops

    steps, channels = x.shape[1], x.shape[2]
    grouped = ops.reshape(x, (-1, group, steps, channels))
    apart = ops.sqrt(ops.var(grouped, axis=1) + 1e-6)
    mean = ops.mean(apart, axis=(1, 2), keepdims=True)  # (groups, 1, 1)
    spread = ops.zeros_like(grouped[..., :1]) + mean[:, None]
    return ops.reshape(spread, (-1, steps, 1))


def generator_graph(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Our generator in ONNX: noise, cond -> output, as in `generator`."""
    graph = Graph(weights, {"noise": ("batch", NOISE), "cond": ("batch", WINDOW, COND)})
    x = graph.op("Transpose", "cond", perm=[0, 2, 1])
    read = []
    for depth in range(DEPTH):
        length, stride = _conv(depth)
        x = _convolved(graph, x, f"read_{depth}", "Conv", length, stride)
        x = graph.op("LeakyRelu", x, alpha=SLOPE)
        read.append(x)
    rows = WINDOW // 2 ** (DEPTH - 1)
    x = graph.reshape(graph.dense_row("noise", "seeded"), (-1, rows, config["seeded"]))
    x = graph.op("Transpose", x, perm=[0, 2, 1])
    for number in range(6):
        if number < DEPTH:
            x = graph.op("Concat", x, read[DEPTH - 1 - number], axis=1)
        length, stride, _ = _deconv(number, 0, 0)
        x = _convolved(graph, x, f"deconv_{number}", "ConvTranspose", length, stride)
        if number < 5:
            x = graph.op("LeakyRelu", x, alpha=SLOPE)
    return {"model.onnx": graph.model(graph.op("Transpose", x, perm=[0, 2, 1]))}


def _convolved(graph: Graph, x: str, layer: str, kind: str, length: int, stride: int) -> str:
    """A Keras convolution along time on (batch, channels, steps), padded to the same length."""
    kernel = graph.op("Transpose", graph.weight(f"{layer}/kernel"), perm=[2, 1, 0])
    pad = (length - stride) // 2
    bias = graph.weight(f"{layer}/bias")
    return graph.op(kind, x, kernel, bias, strides=[stride], pads=[pad, pad])


def published_generator(config: Mapping[str, Any]) -> Any:
    """The Keras model: noise (batch, 100) -> chances (batch, 32, 128, 5), of sounding keys."""
    import keras
    from keras import layers

    noise = keras.Input((NOISE,), name="noise")
    x = layers.Reshape((1, 1, NOISE))(noise)
    for number, (stride, channels) in enumerate(PUBLISHED):
        last = number == len(PUBLISHED) - 1
        x = layers.Conv2DTranspose(
            channels,
            tuple(KERNEL[s] for s in stride),
            strides=stride,
            padding="same",
            activation="sigmoid" if last else None,
            name=f"deconv_{number}",
        )(x)
        if not last:
            x = layers.BatchNormalization(name=f"norm_{number}")(x)
            x = layers.PReLU(shared_axes=[1, 2], name=f"prelu_{number}")(x)
    return keras.Model([noise], x, name="generator")


def published_discriminator(config: Mapping[str, Any]) -> Any:
    """window (batch, 32, 128, 5) -> what its first convolution finds, and P(real) (batch, 1)."""
    import keras
    from keras import layers

    window = keras.Input((WINDOW, 128, 5), name="window")
    x, first = window, None
    for number, (stride, _) in enumerate(reversed(PUBLISHED)):
        channels = (16, 32, 48, 64, 64, 64)[number]
        x = layers.Conv2D(
            channels,
            tuple(KERNEL[s] for s in stride),
            strides=stride,
            padding="same",
            name=f"judge_{number}",
        )(x)
        first = x if first is None else first
        if number:
            x = layers.BatchNormalization(name=f"norm_{number}")(x)
        x = layers.PReLU(shared_axes=[1, 2], name=f"prelu_{number}")(x)
    score = layers.Dense(1, activation="sigmoid", name="score")(layers.Flatten()(x))
    return keras.Model([window], [first, score], name="discriminator")


def published_graph(weights: Mapping[str, Any]) -> Any:
    """The published generator in ONNX: noise -> output (batch, 32, 128, 5)."""
    graph = Graph(weights, {"noise": ("batch", NOISE)})
    x = graph.reshape("noise", (-1, 1, 1, NOISE))
    x = graph.op("Transpose", x, perm=[0, 3, 1, 2])
    for number, (stride, _) in enumerate(PUBLISHED):
        kernel = graph.op("Transpose", graph.weight(f"deconv_{number}/kernel"), perm=[3, 2, 0, 1])
        pads = [(KERNEL[s] - s) // 2 for s in stride]
        bias = graph.weight(f"deconv_{number}/bias")
        x = graph.op("ConvTranspose", x, kernel, bias, strides=list(stride), pads=[*pads, *pads])
        if number < len(PUBLISHED) - 1:
            norm = [
                graph.weight(f"norm_{number}/{name}")
                for name in ("gamma", "beta", "moving_mean", "moving_variance")
            ]
            x = graph.op("BatchNormalization", x, *norm, epsilon=1e-3)
            slope = graph.op("Transpose", graph.weight(f"prelu_{number}/alpha"), perm=[2, 0, 1])
            x = graph.op("PRelu", x, slope)
    x = graph.op("Transpose", graph.op("Sigmoid", x), perm=[0, 2, 3, 1])
    return graph.model(x, ("batch", WINDOW, 128, 5))
