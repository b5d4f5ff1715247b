"""Clips to measure: stretches of real music, and as many that a model wrote.

Real clips come from works that no model was trained on. New ones continue the built-in seeds of
the composer, as in the app; a model without composers continues the openings of half of the real
works, and is measured against the other half. What was written is kept in a run folder, so that a
stopped measurement goes on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from pyzzicato.datasets import Dataset, Piece
from pyzzicato.generator import Generator, collect_takes
from pyzzicato.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.seeds import seeds_by

__all__ = ["ANYBODY", "SPLIT_CHOICES", "Clip", "Plan", "halves", "new_clips", "real_clips"]

ANYBODY = "all"  # the group of a model that knows no composers
SPLIT_CHOICES: Mapping[str, tuple[str, ...]] = {
    "val": ("val",),
    "test": ("test",),
    "both": ("val", "test"),
}
ANYBODY_TIMES, ANYBODY_MOST = 8, 400  # clips of such a model, in place of so many composers
OPENING = 8.0  # seconds that a model without composers continues
TAKES = 10  # written at once


@dataclass(frozen=True, slots=True)
class Clip:
    """Some seconds of music, from 0. `group` is its composer's id; `source` its work or seed."""

    sequence: NoteSequence
    group: str
    source: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for: `count` clips of `seconds` a composer, from `split`, by `rng_seed`."""

    seconds: float
    count: int
    split: str = "both"
    rng_seed: int = 1

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


def new_clips(
    info: ModelInfo,
    dataset: Dataset,
    plan: Plan,
    counts: Mapping[str, int],
    run: Path,
    say: Callable[[str], None],
    asked: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, list[Clip]]:
    """`counts[group]` clips that the model writes, each `plan.seconds` of new music.

    What stands in the folder `run` already is read; a group whose seeds are missing is left out.
    `asked` says for some groups which composer is asked for in place of the seeds' own.
    """
    generator: Generator | None = None
    found = {}
    for group, count in counts.items():
        path = run / f"{group}.npz"
        clips = _kept(path, group)
        if len(clips) < count:
            prompts = _prompts(info, dataset, plan, group)
            if not prompts:
                say(f"{info.id}, {group}: there is no seed to continue")
                continue
            generator = generator or info.load()
            style = asked.get(group, group)
            clips = list(_written(info, generator, plan, (group, style), prompts, count))
            _keep(path, clips)
        found[group] = clips[:count]
        say(f"{info.id}, {group}: {count} clips of {plan.seconds:g} s")
    return found


def _prompts(
    info: ModelInfo, dataset: Dataset, plan: Plan, group: str
) -> list[tuple[str, NoteSequence]]:
    """Names and music to continue."""
    if group != ANYBODY:
        return [(seed.id, seed.sequence()) for seed in seeds_by(group)]
    pieces = _held_out(info, dataset, plan)
    given = _works(pieces)[0]
    openings = {p.work: p for p in pieces if p.work in given and p.duration >= OPENING}
    works = sorted(openings, key=_shuffled)
    return [(work, _stretch(openings[work], 0.0, OPENING)) for work in works]


def _written(
    info: ModelInfo,
    generator: Generator,
    plan: Plan,
    whose: tuple[str, str],
    prompts: Sequence[tuple[str, NoteSequence]],
    count: int,
) -> Iterator[Clip]:
    """`count` clips or a few more, the prompts in turn, several takes of each at once.

    `whose` is the group of the prompts and the composer that is asked for.
    """
    group, style = whose
    prompts = prompts[:count]
    takes = min(TAKES, count // len(prompts))
    calls = -(-count // takes)
    for call in range(calls):
        name, seed = prompts[call % len(prompts)]
        controls: Any = info.controls(seconds=plan.seconds, rng_seed=plan.rng_seed + call)
        if group != ANYBODY:
            controls = controls.changed(composer=style)
        for notes in collect_takes(generator.generate(seed, controls, takes), takes):
            yield Clip(NoteSequence(tuple(notes)).trim(0.0, plan.seconds), group, name)


def _keep(path: Path, clips: Sequence[Clip]) -> None:
    rows = [
        (number, note.start, note.end, note.pitch, note.velocity)
        for number, clip in enumerate(clips)
        for note in clip.sequence
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part.npz")
    notes = np.array(rows, np.float64).reshape(-1, 5)
    np.savez_compressed(partial, notes=notes, sources=np.array([clip.source for clip in clips]))
    partial.replace(path)


def _kept(path: Path, group: str) -> list[Clip]:
    """The clips in a file that was kept; none where there is no whole one."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            rows, sources = kept["notes"], kept["sources"].tolist()
    except (OSError, ValueError, KeyError, EOFError):
        return []
    notes: list[list[Note]] = [[] for _ in sources]
    for number, start, end, pitch, velocity in rows.tolist():
        notes[int(number)].append(Note(start, end, int(pitch), int(velocity)))
    return [
        Clip(NoteSequence(tuple(mine)), group, source)
        for mine, source in zip(notes, sources, strict=True)
    ]


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
