"""Clips for the composer classifier: rows of features, whose they are and of which work.

    clips = gather(pieces, known_composers(performances))
    fold = folds(clips)                     works dealt out; none is in two folds

A clip is there as it was played, and VERSIONS - 1 times changed in what tells no composer: moved
to another key, at another tempo, its keys struck a little earlier or later.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from pyzzicato.data.pieces import Piece
from pyzzicato.evaluation.classifier.features import WIDTH, features_of
from pyzzicato.evaluation.classifier.network import stretches

__all__ = ["FOLDS", "Clips", "changed", "folds", "gather", "keep", "kept", "known_composers"]

Say = Callable[[str], None]
Rows = npt.NDArray[np.float64]

FOLDS = 5
FEWEST_WORKS = 10
MOST_CLIPS = {False: 40, True: 20}  # of a work's performances, of its scores
MOST_RECORDINGS = 6  # of a work
VERSIONS = 4
KEYS = 4  # semitones that a clip is moved by at most, up or down
TEMPO = 0.25  # natural logarithm of how much faster or slower it is at most
LATE = (0.0, 0.004, 0.008, 0.012)  # seconds that keys are early or late by, one spread a clip


@dataclass(frozen=True)
class Clips:
    """Clips as rows: features (n, VERSIONS, WIDTH) float16, and of each clip (n,) the rest.

    `source` is the beginning of the file's name, up to "__": where a recording comes from.
    """

    features: npt.NDArray[np.float16]
    composer: npt.NDArray[np.int64]
    work: npt.NDArray[np.str_]
    score: npt.NDArray[np.bool_]
    source: npt.NDArray[np.str_]

    def chosen(self, mask: npt.NDArray[np.bool_]) -> Clips:
        """The rows of `mask`."""
        return Clips(*(getattr(self, field.name)[mask] for field in fields(self)))


def known_composers(pieces: Collection[Piece]) -> tuple[str, ...]:
    """The ids of composers with at least FEWEST_WORKS works, most works first."""
    works = Counter(composer for composer, _ in {(p.composer, p.work) for p in pieces})
    order = sorted(works.items(), key=lambda item: (-item[1], item[0]))
    return tuple(composer for composer, count in order if count >= FEWEST_WORKS)


def gather(pieces: Sequence[Piece], composers: Sequence[str], say: Say = print) -> Clips:
    """The clips of all pieces by these composers, at most MOST_CLIPS of a work."""
    groups: dict[tuple[str, str, bool], list[Piece]] = defaultdict(list)
    for piece in pieces:
        if piece.composer in composers:
            groups[piece.composer, piece.work, piece.kind == "score"].append(piece)
    dice = np.random.default_rng(1)
    features = [np.zeros((0, VERSIONS, WIDTH), np.float16)]
    told: list[tuple[int, str, bool, str]] = []
    for number, ((composer, work, score), mine) in enumerate(sorted(groups.items())):
        chosen = _recordings(mine)
        each = max(1, MOST_CLIPS[score] // len(chosen))
        for piece in chosen:
            found = _of_piece(piece, each, dice)
            features.append(found)
            told += [(composers.index(composer), work, score, _source(piece))] * len(found)
        if number % 100 == 99:
            say(f"{number + 1} of {len(groups)} works and scores read")
    columns = list(zip(*told, strict=True)) or [(), (), (), ()]
    kinds = (np.int64, np.str_, np.bool_, np.str_)
    rest: list[Any] = [np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    return Clips(np.concatenate(features), *rest)


def _source(piece: Piece) -> str:
    return PurePosixPath(piece.path).name.partition("__")[0]


def _recordings(pieces: Sequence[Piece]) -> list[Piece]:
    """At most MOST_RECORDINGS, the sources in turn."""
    by_source: dict[str, list[Piece]] = defaultdict(list)
    for piece in sorted(pieces, key=lambda p: hashlib.sha256(p.path.encode()).digest()):
        by_source[_source(piece)].append(piece)
    turns = [
        (place, source, piece)
        for source, mine in by_source.items()
        for place, piece in enumerate(mine)
    ]
    turns.sort(key=lambda turn: turn[:2])
    return [piece for _, _, piece in turns[:MOST_RECORDINGS]]


def _of_piece(piece: Piece, most: int, dice: np.random.Generator) -> npt.NDArray[np.float16]:
    """At most so many clips, spread over the piece, (n, VERSIONS, WIDTH)."""
    clips = stretches(piece.notes[:, :3].astype(np.float64))
    found = []
    for clip in clips[:: max(1, -(-len(clips) // most))]:
        versions = [clip, *(changed(clip, dice) for _ in range(VERSIONS - 1))]
        rows = [row for each in versions if (row := features_of(each)) is not None]
        if len(rows) == VERSIONS:
            found.append(rows)
    return np.array(found, np.float16).reshape(-1, VERSIONS, WIDTH)


def changed(rows: Rows, dice: np.random.Generator) -> Rows:
    """Rows of start, end, pitch in another key and tempo, a little unevenly struck."""
    found = rows.copy()
    found[:, 2] += dice.integers(-KEYS, KEYS + 1)
    found[:, :2] *= np.exp(dice.uniform(-TEMPO, TEMPO))
    late = dice.normal(0, 1, len(rows)) * dice.choice(LATE)
    found[:, 0] = np.maximum(found[:, 0] + late, 0)
    found[:, 1] = np.maximum(found[:, 1], found[:, 0])
    return found[np.lexsort((found[:, 2], found[:, 0]))]


def folds(clips: Clips, count: int = FOLDS) -> npt.NDArray[np.int64]:
    """The fold of each clip, (n,): works of each composer dealt out in turn.

    Those that were performed come first, so that each fold has as many of them.
    """
    fold: dict[str, int] = {}
    performed = set(clips.work[~clips.score].tolist())
    for composer in range(int(clips.composer.max(initial=-1)) + 1):
        mine = set(clips.work[clips.composer == composer].tolist())
        for works in (mine & performed, mine - performed):
            order = sorted(works, key=lambda work: hashlib.sha256(work.encode()).digest())
            fold |= {work: (number + composer) % count for number, work in enumerate(order)}
    return np.array([fold[work] for work in clips.work.tolist()], np.int64)


def keep(clips: Clips, path: Path) -> None:
    """Writes clips to a file, so that training can be tried again without reading all music."""
    np.savez(path, **{field.name: getattr(clips, field.name) for field in fields(clips)})


def kept(path: Path) -> Clips:
    """What `keep` wrote."""
    with np.load(path) as found:
        return Clips(*(found[field.name] for field in fields(Clips)))
