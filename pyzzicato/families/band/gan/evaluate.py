"""What the GAN's music is like, beside real music and the published network's.

A GAN says no chances, so that there is no likelihood to measure.
"""

from __future__ import annotations

from collections.abc import Callable

from pyzzicato.data.pieces import Dataset
from pyzzicato.families.band.evaluate import band_scores
from pyzzicato.families.band.gan.generate import PUBLISHED
from pyzzicato.metrics.scores import Sheet
from pyzzicato.registry import ModelInfo

__all__ = ["gan_scores"]

FORM = {"form": PUBLISHED, "wildness": 1.0}


def gan_scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> tuple[Sheet, ...]:
    """What `pyzzicato evaluate` measures of a model of this family."""
    return band_scores(info, dataset, say, variants={"as published": FORM})
