"""The GAN for a band: a generator of windows, and a discriminator that is not fooled for long.

Source: Skourogiannis and Pallikaris: a generator of six transposed convolutions from a noise of
100 numbers to 5 x 32 x 128, a discriminator of six convolutions, PReLU, batch norm, Adam, label
smoothing, two feature-matching terms and two time scales; it collapsed: whatever the noise, the
music was nearly the same. With `recipe = "published"` it is trained so. Kernels and channels are
not stated there and were decided here. Ours differs from it in: the generator goes on from a
window, and around instruments that are given; binary neurons; the losses, see
`pyzzicato/gan_training.py`; onsets beside what sounds; the music is moved to C major or A minor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyzzicato.gan_generator import GanBand
from pyzzicato.gan_network import (
    generator,
    generator_graph,
    published,
    published_generator,
    published_graph,
)
from pyzzicato.gan_training import fit

__all__ = ["build", "export", "fit", "load"]

load = GanBand


def build(config: Mapping[str, Any]) -> Any:
    """The generator as a Keras model, see `pyzzicato.gan_network`."""
    return (published_generator if published(config) else generator)(config)


def export(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The generator as a graph that makes a window in one run."""
    return (published_graph if published(config) else generator_graph)(weights, config)
