"""What is counted in each clip, by several processes, and kept for the next model.

Clips are known by their notes: what was counted in one group of clips of real music stands in the
run folder for every model that is set beside the same clips. A kept figure is of no use once the
code that counts or the index of the training music changes, so its file is named after those too.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pyzzicato.evaluation.clips import Clip
from pyzzicato.evaluation.stamps import code_stamp
from pyzzicato.metrics import originality as originality_module
from pyzzicato.metrics.notes import METRICS, measure
from pyzzicato.metrics.originality import originality
from pyzzicato.metrics.structureness import RANGES, structureness
from pyzzicato.metrics.yang_lerch import FEATURES, features
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.runtime.files import replacing
from pyzzicato.runtime.processes import Progress, spread

__all__ = ["FORM", "KINDS", "KNOWN", "PLAIN", "Measured", "measured"]

Floats = npt.NDArray[np.float64]

PLAIN, KNOWN, FORM = "plain", "known", "form"
KINDS = (PLAIN, KNOWN, FORM)
TOGETHER = 10  # clips that a process measures at once
_COUNTING = ("metrics", "evaluation/clip_measuring")


class Measured(NamedTuple):
    """The measures of one clip by name, and its vectors by the features of Yang and Lerch."""

    values: dict[str, float | None]
    features: dict[str, Floats | None]


class _Task(NamedTuple):
    kind: str
    seconds: float
    clips: tuple[Floats, ...]  # notes (n, 5) of each: start, end, pitch, velocity, drum


def measured(
    clips: Sequence[Clip],
    seconds: float,
    kind: str,
    folder: Path,
    say: Callable[[str], None] = print,
    processes: int = 1,
) -> list[Measured]:
    """What is counted in each of `clips`, which are meant to be `seconds` long.

    `kind` is PLAIN: measures and features; KNOWN: the same and the longest passage that stands in
    the training music; FORM: structureness alone, of the first `seconds`. Kept in `folder`.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for number, clip in enumerate(clips):
        groups[clip.group].append(number)
    rows = [_rows(clip) for clip in clips]
    files = {
        g: folder / _name([rows[n] for n in mine], seconds, kind) for g, mine in groups.items()
    }
    found: dict[int, Measured] = {}
    for group, mine in groups.items():
        found |= zip(mine, _read(files[group], len(mine)), strict=False)
    missing = {group: mine for group, mine in groups.items() if mine[0] not in found}
    tasks, whose = [], []
    for mine in missing.values():
        for first in range(0, len(mine), TOGETHER):
            whose.append(mine[first : first + TOGETHER])
            tasks.append(_Task(kind, seconds, tuple(rows[n] for n in whose[-1])))
    progress = Progress(f"measuring {sum(map(len, whose))} clips", sum(map(len, whose)), say)
    left = {group: len(mine) for group, mine in missing.items()}
    for mine, made in zip(whose, spread(_measure, tasks, processes), strict=True):
        found |= zip(mine, made, strict=True)
        group = clips[mine[0]].group
        left[group] -= len(mine)
        if not left[group]:
            _keep(files[group], [found[n] for n in groups[group]])
        progress.add(len(mine))
    return [found[number] for number in range(len(clips))]


def _rows(clip: Clip) -> Floats:
    rows = [(n.start, n.end, n.pitch, n.velocity, n.is_drum) for n in clip.sequence]
    return np.array(rows, np.float64).reshape(-1, 5)


def _measure(task: _Task) -> list[Measured]:
    """One task, in whatever process."""
    found = []
    for rows in task.clips:
        notes = tuple(
            Note(start, end, int(pitch), int(velocity), is_drum=bool(drum))
            for start, end, pitch, velocity, drum in rows.tolist()
        )
        found.append(_of_clip(NoteSequence(notes), task.seconds, task.kind))
    return found


def _of_clip(sequence: NoteSequence, seconds: float, kind: str) -> Measured:
    if kind == FORM:
        form = structureness(sequence.trim(0.0, seconds), seconds)
        return Measured({f"structureness_{name}": form[name] for name in RANGES}, {})
    values = {k: v for k, v in measure(sequence, seconds).items() if not METRICS[k].on_beat}
    if kind == KNOWN:
        report = originality(sequence)
        values |= {"known_passage": float(report.notes), "copied": float(report.copied)}
    return Measured(values, features(sequence, seconds))


@cache
def _stamp() -> str:
    """Changes when the code that counts does, or the index of the training music."""
    index = originality_module.ASSET
    known = index.read_bytes() if index.exists() else b""
    return hashlib.sha256(code_stamp(*_COUNTING).encode() + known).hexdigest()


def _name(rows: Iterable[Floats], seconds: float, kind: str) -> str:
    total = hashlib.sha256(f"{_stamp()} {seconds!r} {kind}".encode())
    for each in rows:
        total.update(f"{len(each)} ".encode() + each.tobytes())
    return f"{total.hexdigest()[:16]}.npz"


def _keep(path: Path, found: Sequence[Measured]) -> None:
    """NaN stands for a value that is not defined, in this file alone."""
    values = [[np.nan if v is None else v for v in row.values.values()] for row in found]
    arrays: dict[str, Any] = {
        "names": np.array(list(found[0].values)),
        "values": np.array(values, np.float64),
    }
    for name in found[0].features:
        vectors = [row.features[name] for row in found]
        width = max((len(v) for v in vectors if v is not None), default=1)
        arrays[f"feature {name}"] = np.array(
            [np.full(width, np.nan) if v is None else v for v in vectors]
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside:
        np.savez_compressed(beside, **arrays)


def _read(path: Path, count: int) -> list[Measured]:
    """What was kept of so many clips; nothing where there is no whole file."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            names, values = kept["names"].tolist(), kept["values"]
            vectors = {n: kept[f"feature {n}"] for n in FEATURES if f"feature {n}" in kept}
    except (OSError, ValueError, KeyError, EOFError):
        return []
    if len(values) != count:
        return []
    return [
        Measured(
            {n: None if np.isnan(v) else v for n, v in zip(names, row.tolist(), strict=True)},
            _defined({name: each[number] for name, each in vectors.items()}),
        )
        for number, row in enumerate(values)
    ]


def _defined(vectors: Mapping[str, Floats]) -> dict[str, Floats | None]:
    return {name: None if np.isnan(each).any() else each for name, each in vectors.items()}
