"""The networks of the GAN for a band as it was published, as far as the source states them.

The generator makes a roll (32, 128, 5) of what sounds of 100 numbers and of nothing else, by six
transposed convolutions; the discriminator mirrors it. PReLU, and batch norm on convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.families.band.gan.network import NOISE
from pyzzicato.runtime.graph_builder import Graph

__all__ = ["published", "published_discriminator", "published_generator", "published_graph"]

# Steps and pitches that each transposed convolution multiplies by, and its channels.
PUBLISHED = (((2, 4), 64), ((2, 2), 64), ((2, 2), 48), ((2, 2), 32), ((2, 2), 16), ((1, 2), 5))
KERNEL = {1: 3, 2: 4, 4: 4}  # a kernel's length by its stride


def published(config: Mapping[str, Any]) -> bool:
    """Whether the config asks for the recipe as published."""
    return bool(config.get("recipe") == "published")


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
