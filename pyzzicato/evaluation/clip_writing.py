"""Clips that a model writes, in as many processes as there are, kept so that nothing is lost.

A group of clips (see `evaluation.clips`) is written in parts of a few runs of the model; each part
is kept in the run folder as it is done, so that a stopped measurement goes on there. Which notes
come out depends on the plan alone, not on the parts and not on the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from pyzzicato.data.pieces import Dataset
from pyzzicato.evaluation.clips import ANYBODY, Clip, Plan, prompts
from pyzzicato.generation.generator import Generator, collect_takes
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.files import replacing
from pyzzicato.runtime.processes import Progress, spread

__all__ = ["new_clips"]

TAKES = 10  # written at once
CALLS = 10  # runs of the model in one part


@dataclass(frozen=True)
class _Part:
    """Some runs of the model: the first one's number, what each continues, where they are kept."""

    info: ModelInfo
    plan: Plan
    group: str
    style: str
    takes: int
    first: int
    prompts: tuple[tuple[str, NoteSequence], ...]
    path: Path


def new_clips(
    info: ModelInfo,
    dataset: Dataset,
    plan: Plan,
    counts: Mapping[str, int],
    run: Path,
    say: Callable[[str], None],
    asked: Mapping[str, str] = MappingProxyType({}),
    *,
    processes: int = 1,
) -> dict[str, list[Clip]]:
    """`counts[group]` clips that the model writes, each `plan.seconds` of new music.

    What stands in the folder `run` already is read; a group whose seeds are missing is left out.
    `asked` says for some groups which composer is asked for in place of the seeds' own.
    """
    kept = {group: _kept(_file(run, group), group) for group in counts}
    parts: dict[str, list[_Part]] = {}
    for group, count in counts.items():
        if len(kept[group]) >= count:
            continue
        given = prompts(info, dataset, plan, group)
        if not given:
            say(f"{info.id}, {group}: there is no seed to continue")
            continue
        parts[group] = _parts(info, plan, (group, asked.get(group, group)), given, count, run)
    _write([part for each in parts.values() for part in each], say, processes)
    for group, each in parts.items():
        kept[group] = [clip for part in each for clip in _kept(part.path, group)]
        _keep(_file(run, group), kept[group])
        for part in each:
            part.path.unlink(missing_ok=True)
    found = {group: clips[: counts[group]] for group, clips in kept.items() if clips}
    say(f"{info.id}: {sum(map(len, found.values()))} clips of {plan.seconds:g} s are written")
    return found


def _file(run: Path, group: str) -> Path:
    return run / f"{group}.npz"


def _parts(
    info: ModelInfo,
    plan: Plan,
    whose: tuple[str, str],
    given: Sequence[tuple[str, NoteSequence]],
    count: int,
    run: Path,
) -> list[_Part]:
    """What makes `count` clips or a few more, the prompts in turn, several takes of each at once.

    `whose` is the group of the prompts and the composer that is asked for.
    """
    group, style = whose
    given = given[:count]
    takes = min(TAKES, count // len(given))
    calls = -(-count // takes)
    found = []
    for first in range(0, calls, CALLS):
        mine = tuple(given[n % len(given)] for n in range(first, min(first + CALLS, calls)))
        path = run / f"{group}.{takes}x{first}.npz"
        found.append(_Part(info, plan, group, style, takes, first, mine, path))
    return found


def _write(parts: Sequence[_Part], say: Callable[[str], None], processes: int) -> None:
    missing = [part for part in parts if not _kept(part.path, part.group)]
    if not missing:
        return
    plan, info = missing[0].plan, missing[0].info
    # The longest first, so that no process is alone with one at the end.
    missing.sort(key=lambda part: -len(part.prompts))
    total = sum(len(part.prompts) * part.takes for part in missing)
    progress = Progress(f"{info.id}: writing {total} clips of {plan.seconds:g} s", total, say)
    for part, _ in zip(missing, spread(_write_part, missing, processes), strict=True):
        progress.add(len(part.prompts) * part.takes)


def _write_part(part: _Part) -> None:
    """Writes the clips of a part and keeps them; raises ModelUnavailable without weights."""
    generator: Generator = part.info.load()
    clips = []
    for number, (name, seed) in enumerate(part.prompts, part.first):
        values: dict[str, Any] = {
            **dict(part.plan.values),
            "seconds": part.plan.seconds,
            "rng_seed": part.plan.rng_seed + number,
        }
        if part.group != ANYBODY:
            values["composer"] = part.style
        controls = part.info.controls(**values)
        for notes in collect_takes(generator.generate(seed, controls, part.takes), part.takes):
            # Drums are measured nowhere here, and real clips have none: see `BandMusic.notes`.
            pitched = tuple(note for note in notes if not note.is_drum)
            music = NoteSequence(pitched).trim(0.0, part.plan.seconds)
            clips.append(Clip(music, part.group, name))
    _keep(part.path, clips)


def _keep(path: Path, clips: Sequence[Clip]) -> None:
    rows = [
        (number, note.start, note.end, note.pitch, note.velocity)
        for number, clip in enumerate(clips)
        for note in clip.sequence
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    notes = np.array(rows, np.float64).reshape(-1, 5)
    with replacing(path) as beside:
        np.savez_compressed(beside, notes=notes, sources=np.array([clip.source for clip in clips]))


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
