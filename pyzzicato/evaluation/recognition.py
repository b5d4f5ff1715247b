"""Does a model's music sound of the composer it was asked for? What our own classifier says.

`classifier.network` hears 20 s and names a composer. It is asked of clips of equal length:

- *real*: held-out works; no more can be expected of new music;
- *new*: what the model wrote, asked for the composer of the seed;
- *seeds*: the seeds alone. If the classifier knows those, the seed may do the work;
- *others*: the seeds of one composer continued in the style of another, and how often the one
  asked for is named (`asked`) and how often the seed's (`seed`).

The *classifier distance* is a Fréchet distance between new and real clips in the classifier's
last hidden layer, half of each, and beside it that of two halves of the real music. It is ours
alone: no figure of another encoder can be compared with it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pyzzicato.data.pieces import Dataset
from pyzzicato.errors import ModelUnavailable
from pyzzicato.evaluation.classifier.network import Classifier, clips_of, distance, load_classifier
from pyzzicato.evaluation.clip_writing import new_clips
from pyzzicato.evaluation.clips import Clip, Plan, halves
from pyzzicato.evaluation.resampling import drawn, mean_of, middle
from pyzzicato.registry import ModelInfo
from pyzzicato.seeds.library import seeds_by

__all__ = ["classifier_here", "recognition", "swapped", "with_others"]

DRAWS = 20
Floats = npt.NDArray[np.float64]


def classifier_here() -> Classifier | None:
    """The classifier, where its files are there."""
    try:
        return load_classifier()
    except ModelUnavailable:
        return None


def swapped(composers: Sequence[str]) -> dict[str, str]:
    """Another composer for each: the one half the list further on; {} for fewer than two."""
    count = len(composers)
    if count < 2:
        return {}
    return {name: composers[(n + count // 2) % count] for n, name in enumerate(composers)}


@dataclasses.dataclass(frozen=True)
class Others:
    """Clips by the composer of their seed, and whose style was asked for in each."""

    clips: Mapping[str, Sequence[Clip]]
    asked: Mapping[str, str]


def with_others(
    info: ModelInfo,
    dataset: Dataset,
    plan: Plan,
    counts: Mapping[str, int],
    run: Path,
    say: Callable[[str], None],
    *,
    processes: int = 1,
) -> Others:
    """Half as many clips as `counts` says, the seeds of each composer in the style of another."""
    asked = swapped([group for group in counts if group in info.composers])
    half = {group: max(1, counts[group] // 2) for group in asked}
    made = new_clips(info, dataset, plan, half, run, say, asked, processes=processes)
    return Others(made, asked)


def recognition(
    classifier: Classifier,
    real: Sequence[Clip],
    new: Sequence[Clip],
    others: Others,
    dice: np.random.Generator,
) -> dict[str, Any]:
    """All figures as plain values; shares with intervals over seeds and works."""
    known = set(classifier.composers)
    groups = sorted({clip.group for clip in new} & known)
    seeds = [Clip(seed.sequence(), g, seed.id) for g in groups for seed in seeds_by(g)]
    moved = [clip for group in others.asked for clip in others.clips.get(group, ())]
    heard = {
        side: _Heard(classifier, clips)
        for side, clips in (("real", real), ("new", new), ("seeds", seeds), ("others", moved))
    }
    found: dict[str, Any] = {
        "classifier": classifier.fingerprint,
        "composers": len(known),
        "distance": _distance(heard["real"], heard["new"], dice),
    }
    for side in ("real", "new", "seeds"):
        found[side] = heard[side].right(lambda clip: clip.group, dice)
    found["asked"] = heard["others"].right(lambda clip: others.asked[clip.group], dice)
    found["seed"] = heard["others"].right(lambda clip: clip.group, dice)
    found["by_group"] = {
        group: {side: heard[side].share(group) for side in ("real", "new")} for group in groups
    }
    return found


class _Heard:
    """Clips and what the classifier hears in them; clips with too few notes are left out."""

    def __init__(self, classifier: Classifier, clips: Sequence[Clip]) -> None:
        rows = [clips_of(clip.sequence) for clip in clips]
        self.clips = [clip for clip, row in zip(clips, rows, strict=True) if len(row)]
        self.known = classifier.composers
        read = [classifier.read(row) for row in rows if len(row)]
        self.hidden = np.array([hidden.mean(axis=0) for hidden, _ in read])
        self.named = [
            self.known[int(np.log(shares + 1e-6).mean(axis=0).argmax())] for _, shares in read
        ]

    def right(self, whose: Callable[[Clip], str], dice: np.random.Generator) -> dict[str, Any]:
        """The share of clips whose composer is named, of the composers that it knows."""
        pairs = [
            (clip, float(named == whose(clip)))
            for clip, named in zip(self.clips, self.named, strict=True)
            if whose(clip) in self.known
        ]
        if not pairs:
            return {}
        return mean_of([clip for clip, _ in pairs], np.array([right for _, right in pairs]), dice)

    def share(self, group: str) -> float | None:
        """The share of one composer's clips that are named rightly."""
        return middle(
            [
                float(named == group)
                for clip, named in zip(self.clips, self.named, strict=True)
                if clip.group == group
            ]
        )


def _distance(real: _Heard, new: _Heard, dice: np.random.Generator) -> dict[str, Any]:
    """The distance of half the clips, and that of two halves of the real ones."""
    if not real.clips or not new.clips:
        return {}
    draws = []
    for _ in range(DRAWS):
        first, second = halves(real.clips, dice)
        mine, _rest = halves(new.clips, dice)
        draws.append(
            (
                distance(real.hidden[first], new.hidden[mine]),
                distance(real.hidden[first], real.hidden[second]),
            )
        )
    found = drawn([each[0] for each in draws], 0.0, math.inf)
    if found is None:
        return {}
    return {**found, "ceiling": middle([each[1] for each in draws]), "n": len(new.clips) // 2}
