"""The GAN for a band: a generator of windows, and a discriminator that is not fooled for long.

Source: Skourogiannis and Pallikaris: a generator of six transposed convolutions from a noise of
100 numbers to 5 x 32 x 128, a discriminator of six convolutions, PReLU, batch norm, Adam, label
smoothing, two feature-matching terms and two time scales; it collapsed: whatever the noise, the
music was nearly the same. It is trained so beside ours, into a graph of its own. Kernels and
channels are not stated there and were decided here. Ours differs from it in: the generator goes
on from a window, and around instruments that are given; what stood there can be let through;
binary neurons; an encoder teaches it by likelihood first, and a little all along; the other
losses, see `band/gan/turns.py`; onsets beside what sounds; music is moved to C or A minor.
"""

from __future__ import annotations

from pyzzicato.families.band.gan.evaluate import gan_scores
from pyzzicato.families.band.gan.generate import GanBand
from pyzzicato.families.band.gan.network import GanConfig, generator, generator_graph
from pyzzicato.families.band.gan.training import GanTraining, fit, train_published
from pyzzicato.training.family import Family

__all__ = ["FAMILY"]


FAMILY = Family(
    config=GanConfig,
    build=generator,
    export=generator_graph,
    generator=GanBand,
    scores=gan_scores,
    teaching=fit,
    training=GanTraining,
    finish=train_published,
)
