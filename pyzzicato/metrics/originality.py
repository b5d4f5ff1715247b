"""How much of a piece stands in the training music: the longest passage, and in which work.

    report = originality(sequence)
    report.notes, report.start, report.end, report.title, report.copied

Every composer repeats himself and others, so a shared passage alone means little: it is set
against what excerpts of real works, as long as the piece, share with the other works of their
composer. The index, `assets/originality.npz`, is made by `tools/build_originality_index.py`;
how passages are found says `pyzzicato.metrics.passages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from pyzzicato.metrics.passages import (
    REAL_SECONDS,
    Floats,
    Index,
    find_passage,
    read_index,
    stream_of,
)
from pyzzicato.music.notes import NoteSequence

__all__ = ["ASSET", "Report", "load_index", "originality"]

ASSET = Path(__file__).resolve().parents[1] / "assets" / "originality.npz"
LIMIT = 99  # percentile of what real works share; more is copied


@dataclass(frozen=True, slots=True)
class Report:
    """The longest passage of a piece that stands in the training music.

    `start` and `end` in seconds and `notes` are the passage in the piece, `share` its part of
    the piece's notes, 0 to 1; `composer`, `title` and `work` are the nearest work, empty where
    nothing was found. `score` weighs the passage by how rare its turns are. `percentile`, 0 to
    100, says how many of 100 excerpts of real works, as long as the piece, share less with
    another work of their composer; `usual_notes` is the passage that half of them share, and
    `copied` is True where the piece shares more than 99 of them.
    """

    start: float = 0.0
    end: float = 0.0
    notes: int = 0
    share: float = 0.0
    composer: str = ""
    title: str = ""
    work: str = ""
    score: float = 0.0
    percentile: float = 0.0
    usual_notes: int = 0
    copied: bool = False


@cache
def load_index() -> Index:
    """The index that comes with the package, read once; raises PyzzicatoError without it."""
    return read_index(ASSET)


def originality(sequence: NoteSequence, index: Index | None = None) -> Report:
    """The longest passage of `sequence` that stands in the training music.

    `index` is the package's own where it is None. Drums are left out. A piece without notes, or
    with none in common, gets a report of 0 notes. Raises PyzzicatoError where the package's
    index cannot be read.
    """
    index = load_index() if index is None else index
    rows = [(note.start, note.end, note.pitch) for note in sequence if not note.is_drum]
    stream = stream_of(np.array(rows, np.float64).reshape(-1, 3))
    seconds = float(np.ptp(stream.start)) if rows else 0.0
    real_scores, real_notes = (_at(seconds, t) for t in (index.real_scores, index.real_notes))
    usual = int(real_notes[50]) if np.isfinite(real_notes[50]) else 0
    passage = find_passage(stream, index)
    if passage is None:
        return Report(usual_notes=usual)
    here = slice(passage.first, passage.last + 1)
    return Report(
        start=float(stream.start[here].min()),
        end=float(stream.end[here].max()),
        notes=passage.notes,
        share=passage.notes / len(stream.pitch),
        composer=index.composers[passage.work],
        title=index.titles[passage.work],
        work=index.works[passage.work],
        score=passage.score,
        percentile=float(np.minimum(np.searchsorted(real_scores, passage.score), 100)),
        usual_notes=usual,
        copied=bool(passage.score > real_scores[LIMIT]),
    )


def _at(seconds: float, table: Floats) -> Floats:
    """The percentiles (101,) for a length, between the rows of `table` by its logarithm."""
    if not np.isfinite(table).all():
        return np.full(table.shape[1], np.inf)
    known, length = np.log(REAL_SECONDS), np.log(max(seconds, REAL_SECONDS[0]))
    return np.array([np.interp(length, known, column) for column in table.T])
