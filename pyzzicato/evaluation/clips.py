"""Clips to measure: stretches of real music, and as many that a model wrote.

Real clips come from works that no model was trained on. New ones continue the built-in seeds of
the composer, as in the app; a model without composers continues the openings of half of the real
works, and is measured against the other half. They are written by `evaluation.clip_writing`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pyzzicato.data.band import BandMusic
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.seeds.library import seeds_by

__all__ = ["ANYBODY", "SPLIT_CHOICES", "Clip", "Plan", "halves", "prompts", "real_clips"]

ANYBODY = "all"  # the group of a model that knows no composers
SPLIT_CHOICES: Mapping[str, tuple[str, ...]] = {
    "val": ("val",),
    "test": ("test",),
    "both": ("val", "test"),
}
ANYBODY_TIMES, ANYBODY_MOST = 8, 400  # clips of such a model, in place of so many composers
OPENING = 8.0  # seconds that a model without composers continues


@dataclass(frozen=True, slots=True)
class Clip:
    """Some seconds of music, from 0. `group` is its composer's id; `source` its work or seed."""

    sequence: NoteSequence
    group: str
    source: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for: `count` clips of `seconds` a composer, from `split`, by `rng_seed`.

    `values` are the controls that are not as they come, as pairs of name and value.
    """

    seconds: float
    count: int
    split: str = "both"
    rng_seed: int = 1
    values: tuple[tuple[str, Any], ...] = ()

    def key(self, **more: Any) -> str:
        """A short name of this plan and of what else decides over the clips."""
        told = [dataclasses.astuple(self), sorted(more.items())]
        return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()[:12]


def real_clips(info: ModelInfo, dataset: Dataset, plan: Plan) -> dict[str, list[Clip]]:
    """Up to `plan.count` clips by group, works in turn; a group without any is left out."""
    pieces = _held_out(info, dataset, plan)
    groups = info.composers or (ANYBODY,)
    found = {}
    for number, group in enumerate(groups):
        mine, count = [p for p in pieces if group in (ANYBODY, p.composer)], plan.count
        if group == ANYBODY:
            compared = _works(mine)[1]
            mine = [p for p in mine if p.work in compared]
            count = max(plan.count, min(ANYBODY_TIMES * plan.count, ANYBODY_MOST))
        dice = np.random.default_rng([plan.rng_seed, 1, number])
        clips = _in_turn(mine, group, plan.seconds, count, dice)
        if clips:
            found[group] = clips
    return found


def _held_out(info: ModelInfo, dataset: Dataset, plan: Plan) -> list[Piece]:
    """Pieces of the splits asked for; only performances where there are any."""
    pieces = [p for name in SPLIT_CHOICES[plan.split] for p in dataset.split(name)]
    performed = [p for p in pieces if p.kind == "performance"]
    return performed if performed and info.composers else pieces


def _works(pieces: Sequence[Piece]) -> tuple[frozenset[str], frozenset[str]]:
    """Two halves of the works: the first gives openings to continue, the second is compared."""
    works = sorted({piece.work for piece in pieces}, key=_shuffled)
    return frozenset(works[::2]), frozenset(works[1::2])


def _shuffled(work: str) -> str:
    return hashlib.sha256(work.encode()).hexdigest()


def _in_turn(
    pieces: Sequence[Piece], group: str, seconds: float, count: int, dice: np.random.Generator
) -> list[Clip]:
    """Stretches side by side, drawn by lots: one of each work, then the next of each."""
    places: dict[str, list[tuple[Piece, int]]] = defaultdict(list)
    for piece in pieces:
        for number in range(int(piece.duration // seconds)):
            places[piece.work].append((piece, number))
    mixed = {
        work: [found[place] for place in dice.permutation(len(found))]
        for work, found in sorted(places.items())
    }
    order = [
        (turn, work)
        for turn in range(max((len(found) for found in mixed.values()), default=0))
        for work in mixed
        if turn < len(mixed[work])
    ]
    clips = []
    for turn, work in order[:count]:
        piece, number = mixed[work][turn]
        start = number * seconds
        clips.append(Clip(_stretch(piece, start, seconds), group, work))
    return clips


def _stretch(piece: Piece, start: float, seconds: float) -> NoteSequence:
    """Part of a piece, without making a sequence of all of it."""
    inside = (piece.notes[:, 0] < start + seconds) & (piece.notes[:, 1] > start)
    rows = piece.notes[inside].tolist()
    notes = (Note(s, e, int(p), int(v)) for s, e, p, v in rows)
    return NoteSequence(tuple(notes)).trim(start, start + seconds)


def prompts(
    info: ModelInfo, dataset: Dataset, plan: Plan, group: str
) -> list[tuple[str, NoteSequence]]:
    """Names and music that a model continues: seeds of a composer, or openings of real works."""
    if group != ANYBODY:
        return [(seed.id, seed.sequence()) for seed in seeds_by(group)]
    pieces = _held_out(info, dataset, plan)
    given = _works(pieces)[0]
    openings = {p.work: p for p in pieces if p.work in given and p.duration >= OPENING}
    works = sorted(openings, key=_shuffled)
    return [(work, _opening(openings[work])) for work in works]


def _opening(piece: Piece) -> NoteSequence:
    """The first seconds; of a band with all its instruments, of which `notes` lack the drums."""
    if isinstance(piece, BandMusic):
        return piece.sequence().trim(0.0, OPENING)
    return _stretch(piece, 0.0, OPENING)


def halves(
    clips: Sequence[Clip], dice: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The numbers of two halves of `clips`, group by group, drawn by lots.

    A source is in one half only, unless its group has no other; then its clips are divided.
    """
    groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, clip in enumerate(clips):
        groups[clip.group][clip.source].append(number)
    first: list[int] = []
    second: list[int] = []
    for sources in groups.values():
        parts = list(sources.values())
        if len(parts) == 1:
            parts = [[number] for number in parts[0]]
        sides: tuple[list[int], list[int]] = ([], [])
        for place in dice.permutation(len(parts)):
            shorter = len(sides[0]) > len(sides[1]) or (
                len(sides[0]) == len(sides[1]) and bool(dice.integers(2))
            )
            sides[shorter].extend(parts[place])
        first += sides[0]
        second += sides[1]
    return np.array(first, np.int64), np.array(second, np.int64)
