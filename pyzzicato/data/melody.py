"""Melodies for training: `melody/melodies_16th.jsonl` in a folder of music, one melody a line.

Each line is a JSON object with `id`, `src`, `title`, `sig` (such as "4/4"), `key`, `qpm`,
`licence`, `split` and `events` (see `pyzzicato.codecs.melody`). A line whose licence is not
stated, or which says that the songs are under copyright, is left out; so is one that cannot be
read. A melody counts where it lasts at least 7 bars of 16 steps and has at least 5 different
pitches; of a longer one the first 512 steps are taken (Magenta's rules).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.codecs.melody import NO_EVENT, NOTE_OFF, STEPS_PER_BAR, MelodyCodec
from pyzzicato.data.manifests import SPLITS, Skipped
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import UnreadableMusic

__all__ = ["EVEN", "MELODIES", "Melody", "read_melodies"]

MELODIES = Path("melody", "melodies_16th.jsonl")
EVEN = "melody:even"  # the kind of melodies in metres whose bars and those of 4/4 go together
FEWEST_STEPS = 7 * STEPS_PER_BAR
MOST_STEPS = 512
FEWEST_PITCHES = 5
COMPOSER = "traditional"
USUAL_QPM = 120.0  # where a line gives no tempo


@dataclass(frozen=True, slots=True, eq=False)
class Melody(Piece):
    """One melody; `notes` are its events at its tempo, at 120 where none is given.

    `events` is (steps,) int64, read-only. `metre` is as the line has it, such as "6/8" or "C|".
    """

    events: np.ndarray
    metre: str

    @property
    def even(self) -> bool:
        """Whether its bars and those of 4/4 go together: 2/4, 4/4, 2/2, 4/2, but not 3/4, 6/8."""
        try:
            bar = STEPS_PER_BAR * Fraction({"C": "4/4", "C|": "2/2"}.get(self.metre, self.metre))
        except (ValueError, ZeroDivisionError):
            return False
        return bar > 0 and (STEPS_PER_BAR % bar == 0 or bar % STEPS_PER_BAR == 0)


def read_melodies(
    folder: Path, kinds: Collection[str] = ("melody",), *, licensed_only: bool = True
) -> Dataset:
    """The melodies of `folder`, in the file's order; raises UnreadableMusic without the file.

    With `kinds` "melody:even" only metres count whose bars go together with those of 4/4, which
    a network that looks a bar of 16 steps back can tell; with "melody" every metre.
    `licensed_only` leaves out what the top of this file says.
    """
    path = folder / MELODIES
    if not path.is_file():
        raise UnreadableMusic(
            f"There is no {MELODIES.as_posix()} in {folder}: melody models are trained on it."
        )
    pieces: list[Piece] = []
    skipped: list[Skipped] = []
    for name, line in _lines(path):
        found = _melody(name, line, licensed_only)
        if isinstance(found, Melody) and not found.even and "melody" not in kinds:
            found = "its bars do not go together with those of 4/4"
        if isinstance(found, Melody):
            pieces.append(found)
        else:
            skipped.append(Skipped(name, found))
    return Dataset(tuple(pieces), tuple(skipped), folder)


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """(name, object) of every line that is not empty; None where it is no JSON object."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                line = json.loads(text)
            except ValueError:
                line = None
            name = f"{MELODIES.as_posix()}#{number}"
            yield name, line if isinstance(line, dict) else None


def _melody(name: str, line: dict[str, Any] | None, licensed_only: bool) -> Melody | str:
    """The melody of a line, or why it is left out."""
    if line is None:
        return "not a line of JSON"
    licence = str(line.get("licence") or "").strip() or "not stated"
    if licensed_only and licence.lower().startswith("not stated"):
        return "licence not stated"
    if licensed_only and "under copyright" in licence.lower():
        return f"licence {licence}"
    if line.get("split") not in SPLITS:
        return "in none of the splits train, val and test"
    events = _events(line.get("events"))
    if events is None:
        return "no melody in it"
    if len(events) < FEWEST_STEPS:
        return "shorter than 7 bars"
    if len(np.unique(events[events >= 0])) < FEWEST_PITCHES:
        return "fewer than 5 different pitches"
    return Melody(
        path=name,
        composer=COMPOSER,
        title=str(line.get("title") or ""),
        work=str(line.get("id") or name),
        split=line["split"],
        kind="melody",
        licence=licence,
        recordings=1,
        notes=_notes(events, line.get("qpm")),
        events=events,
        metre=str(line.get("sig") or ""),
    )


def _events(found: Any) -> np.ndarray | None:
    """A line's events, without ends before the first note, cut to 512; None without notes."""
    if not isinstance(found, list) or not all(type(event) is int for event in found):
        return None
    events = np.array(found[:MOST_STEPS], np.int64)
    begins = np.flatnonzero(events >= 0)
    if not len(begins) or events.min() < NO_EVENT or events.max() > 127:
        return None
    before = events[: begins[0]]
    before[before == NOTE_OFF] = NO_EVENT
    events.flags.writeable = False
    return events


def _notes(events: np.ndarray, qpm: Any) -> np.ndarray:
    """The notes as `Piece.notes` has them, (n, 4)."""
    number = isinstance(qpm, int | float) and 10 <= qpm <= 1000
    music = MelodyCodec(float(qpm) if number else USUAL_QPM).decode(events)
    notes = np.array([note[:4] for note in music], np.float32).reshape(-1, 4)
    notes.flags.writeable = False
    return notes
