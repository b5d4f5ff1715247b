"""Training music as pieces: who wrote each, which split it is in, and its notes.

for piece in dataset.split("train"):
    piece.composer, piece.weight, piece.notes
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyzzicato.data.manifests import SPLITS, Skipped
from pyzzicato.data.note_cache import NoteArray
from pyzzicato.music.notes import Note, NoteSequence

__all__ = ["Dataset", "Piece", "as_dict", "describe"]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One recording or score.

    `notes` is (n, 4) float32, read-only: start s, end s, pitch, velocity; sorted by start, then
    pitch; the sustain pedal is folded into the ends. `recordings` counts the pieces of the same
    work in this data set and split. `split` is "train", "val" or "test".
    """

    path: str
    composer: str
    title: str
    work: str
    split: str
    kind: str
    licence: str
    recordings: int
    notes: NoteArray

    @property
    def weight(self) -> float:
        """How often to draw this piece: 1/sqrt(recordings), so that no work is heard too often."""
        return 1 / math.sqrt(self.recordings)

    @property
    def duration(self) -> float:
        """Seconds from 0 to the end of the note that ends last."""
        return float(self.notes[:, 1].max(initial=0.0))

    def sequence(self) -> NoteSequence:
        """The piece as a NoteSequence."""
        rows = self.notes.tolist()
        return NoteSequence(tuple(Note(s, e, int(p), int(v)) for s, e, p, v in rows))


@dataclass(frozen=True)
class Dataset:
    """The pieces of a folder, and the files that were left out with the reasons."""

    pieces: tuple[Piece, ...]
    skipped: tuple[Skipped, ...]
    folder: Path
    remarks: tuple[str, ...] = ()
    """What was decided about the splits, in sentences."""

    def split(self, name: str) -> tuple[Piece, ...]:
        """The pieces of "train", "val" or "test"; raises ValueError for another name."""
        if name not in SPLITS:
            raise ValueError(f"a split is one of {', '.join(SPLITS)}, not {name!r}")
        return tuple(piece for piece in self.pieces if piece.split == name)

    def composers(self) -> dict[str, float]:
        """Hours of music by composer id, most first."""
        return _hours_by(self.pieces, lambda piece: piece.composer)

    def licences(self) -> dict[str, float]:
        """Hours of music by licence, most first."""
        return _hours_by(self.pieces, lambda piece: piece.licence)

    @property
    def hours(self) -> float:
        """Hours of music."""
        return math.fsum(piece.duration for piece in self.pieces) / 3600

    @property
    def note_count(self) -> int:
        """Notes in all pieces."""
        return sum(len(piece.notes) for piece in self.pieces)


def _hours_by(pieces: Iterable[Piece], key: Callable[[Piece], str]) -> dict[str, float]:
    hours: dict[str, float] = defaultdict(float)
    for piece in pieces:
        hours[key(piece)] += piece.duration / 3600
    return dict(sorted(hours.items(), key=lambda item: (-item[1], item[0])))


def as_dict(dataset: Dataset) -> dict[str, Any]:
    """What `describe` says, as plain values for JSON: hours, counts, reasons."""
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for composer in dataset.composers():
        mine = [piece for piece in dataset.pieces if piece.composer == composer]
        table[composer] = {
            name: _figures([piece for piece in mine if piece.split == name])
            for name in SPLITS
            if any(piece.split == name for piece in mine)
        }
    reasons = Counter(item.reason for item in dataset.skipped)
    return {
        "folder": str(dataset.folder),
        **_figures(dataset.pieces),
        "splits": {name: _figures(dataset.split(name)) for name in SPLITS},
        "composers": table,
        "licences": {name: round(hours, 3) for name, hours in dataset.licences().items()},
        "skipped": dict(reasons.most_common()),
        "skipped_files": [{"path": s.path, "reason": s.reason} for s in dataset.skipped],
        "remarks": list(dataset.remarks),
    }


def _figures(pieces: Collection[Piece]) -> dict[str, Any]:
    return {
        "hours": round(math.fsum(piece.duration for piece in pieces) / 3600, 3),
        "notes": sum(len(piece.notes) for piece in pieces),
        "works": len({piece.work for piece in pieces}),
        "recordings": len(pieces),
    }


def describe(dataset: Dataset) -> str:
    """A readable report: hours, notes, works and recordings, licences, what was skipped and why."""
    facts = as_dict(dataset)
    lines = [f"{facts['folder']}: {_line(facts)}", ""]
    tables = [*facts["composers"].items(), ("all", facts["splits"])]
    wide = max(16, *(len(label) for label, _ in tables)) + 2
    figures = f"{'split':<7}{'hours':>9}{'notes':>12}{'works':>8}{'recordings':>12}"
    heading = f"{'composer':<{wide}}{figures}"
    lines += [heading, "-" * len(heading)]
    for composer, splits in tables:
        label = composer
        for name, row in splits.items():
            lines.append(
                f"{label:<{wide}}{name:<7}{row['hours']:>9.2f}{row['notes']:>12,}"
                f"{row['works']:>8,}{row['recordings']:>12,}"
            )
            label = ""
    lines += ["", "Licences, in hours:"]
    lines += [f"{hours:>9.2f}  {name}" for name, hours in facts["licences"].items()]
    if dataset.skipped:
        lines += ["", f"Skipped {len(dataset.skipped):,} files:"]
    for reason, count in facts["skipped"].items():
        example = next(s.path for s in dataset.skipped if s.reason == reason)
        lines.append(f"{count:>9,}  {reason} (such as {example})")
    lines += [line for remark in dataset.remarks for line in ("", remark)]
    return "\n".join(lines)


def _line(facts: dict[str, Any]) -> str:
    return (
        f"{facts['hours']:.1f} hours, {facts['notes']:,} notes, "
        f"{facts['works']:,} works, {facts['recordings']:,} recordings"
    )
