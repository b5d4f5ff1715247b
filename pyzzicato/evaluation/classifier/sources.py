"""Does the composer classifier hear composers, or who made the recordings? Sources held apart.

Composers whose recordings come from several sources are told from one source to another: if the
network had learned recordings, that would cost much more than having fewer works does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pyzzicato.evaluation.classifier.clips import Clips, folds
from pyzzicato.evaluation.classifier.training import Plan, by_work, scores, train

__all__ = ["between_sources"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ENOUGH = 30  # works of a source, for it to be looked at
FEWEST = 4  # works of a composer in both sources
SHORT = Plan(steps=125)  # there are fewer works to learn from


def between_sources(
    clips: Clips, logs: Floats, composers: Sequence[str], plan: Plan = SHORT
) -> dict[str, Any]:
    """What is found, as plain values.

    `performed`: of the works of each source, the share that `logs` tell, among all composers.
    `same_works`: the same for works that are there from both of the two largest sources.
    `crossed`: for composers with FEWEST works in both, taught with performances of one source
    alone: the share of works of the other that are right (works of both left out of teaching),
    and beside it that of a network taught with half of the works of the other itself.
    """
    played = clips.chosen(~clips.score)
    heard = logs[~clips.score]
    names, counts = np.unique(
        [source for source, _ in {*zip(played.source.tolist(), played.work.tolist(), strict=True)}],
        return_counts=True,
    )
    large = names[counts >= ENOUGH][np.argsort(-counts[counts >= ENOUGH])].tolist()
    found: dict[str, Any] = {
        "performed": {name: _told(played, heard, played.source == name) for name in large}
    }
    if len(large) < 2:
        return found
    one, other = large[:2]
    both = set(played.work[played.source == one]) & set(played.work[played.source == other])
    shared = np.isin(played.work, sorted(both))
    if both:
        found["same_works"] = {
            name: _told(played, heard, shared & (played.source == name)) for name in (one, other)
        }
    common = [
        number
        for number in range(len(composers))
        if min(_works(played, number, one), _works(played, number, other)) >= FEWEST
    ]
    if len(common) < 2:
        return found
    inside = np.isin(played.composer, common)
    found["composers"] = [composers[number] for number in common]
    found["crossed"] = {
        f"{a} to {b}": _crossed(played.chosen(inside), a, b, common, plan)
        for a, b in ((one, other), (other, one))
    }
    return found


def _works(clips: Clips, composer: int, source: str) -> int:
    return len(set(clips.work[(clips.composer == composer) & (clips.source == source)].tolist()))


def _told(clips: Clips, logs: Floats, mask: Mask) -> dict[str, float]:
    truth, votes = by_work(clips.chosen(mask), logs[mask])
    return {"works": len(truth), "right": float((votes.argmax(axis=1) == truth).mean())}


def _crossed(
    clips: Clips, one: str, other: str, common: Sequence[int], plan: Plan
) -> dict[str, float]:
    """Works of `other` told by what was taught with `one`, and by half of `other`."""
    place = {composer: n for n, composer in enumerate(common)}
    labels = np.array([place[number] for number in clips.composer.tolist()])
    clips = Clips(clips.features, labels, clips.work, clips.score, clips.source)
    aims = clips.source == other
    teach = (clips.source == one) & ~np.isin(clips.work, np.unique(clips.work[aims]))
    aimed = clips.chosen(aims)
    weights = train(clips.chosen(teach), len(common), plan)
    away = _right(aimed, scores(weights, aimed.features[:, 0]))
    half, answers = folds(aimed, 2), np.zeros((len(aimed.work), len(common)))
    for number in range(2):
        mine = half == number
        weights = train(aimed.chosen(~mine), len(common), plan)
        answers[mine] = scores(weights, aimed.features[mine, 0])
    return {
        "works": len(set(aimed.work.tolist())),
        "taught_works": len(set(clips.work[teach].tolist())),
        "right": away,
        "taught_at_home": len(set(aimed.work.tolist())) // 2,
        "right_at_home": _right(aimed, answers),
    }


def _right(clips: Clips, answers: npt.NDArray[np.floating]) -> float:
    even = answers - np.log(np.exp(answers).sum(axis=1, keepdims=True))
    truth, votes = by_work(clips, even)
    return float((votes.argmax(axis=1) == truth).mean())
