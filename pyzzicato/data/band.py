"""Music of five instruments for training, from two layouts of a folder.

1. MIDI files, listed as in `pyzzicato.data.manifests`: the rows of kind "multitrack" of a
   `MANIFEST.csv`, in their splits; without a table, the MIDI files of a plain folder.
2. An unpacked LPD-5 (the Lakh Pianoroll Dataset, five tracks): the `.npz` files that pypianoroll
   saves, see `pyzzicato.data.lpd5`. The folder of a song ("TR" and 16 letters or digits)
   is one work, whatever number of its recordings is in it.

Splits are by work, never by recording; without a table by a hash of the work's name. A piece
counts where at least two instruments play, one of them bass or piano.

Kinds. "band" is every piece; "band:even" those in meters whose bars go together with 4/4.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.codecs.multitrack_roll import (
    STEPS_PER_QUARTER,
    WINDOW,
    BandPiece,
    MultitrackRoll,
    draw_spans,
)
from pyzzicato.data.band_midi import from_midi
from pyzzicato.data.lpd5 import read_pianoroll
from pyzzicato.data.manifests import Entry, Skipped, hashed_split, list_music
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import UnreadableMusic
from pyzzicato.music.instruments import DRUMS
from pyzzicato.music.notes import NoteSequence

__all__ = ["BandMusic", "read_bands", "windows"]

LPD_LICENCE = "your own files (LPD-5 is CC BY 4.0; most of its songs are under copyright)"
EVEN = "band:even"
VELOCITY = 80  # rolls have no loudness
_SONG = re.compile(
    r"TR[A-Z0-9]{16}"
)  # a song's folder in LPD: its name in the Million Song Dataset
_HOP = 16


@dataclass(frozen=True, slots=True, eq=False)
class BandMusic(Piece):
    """One piece; `spans` and `meter` as in `BandPiece`, `qpm` the tempo of most of its beats.

    `notes` holds the pitched notes only, in seconds at that tempo, all with velocity 80.
    """

    spans: np.ndarray
    qpm: float
    meter: tuple[int, int]

    @property
    def codes(self) -> np.ndarray:
        """The roll, (steps, 5, 128) uint8. Drawn each time: keep it where it is asked often."""
        return draw_spans(self.spans)

    @property
    def even(self) -> bool:
        """Whether its bars and those of 4/4 go together: 2/4, 2/2, 4/4, but not 3/4, 6/8."""
        bar = Fraction(*self.meter)
        return 1 % bar == 0 or bar % 1 == 0

    def sequence(self) -> NoteSequence:
        """The piece with all its instruments."""
        return MultitrackRoll().decode(self.codes, self.qpm)


def windows(piece: BandMusic | BandPiece, hop: int = _HOP) -> np.ndarray:
    """Windows of 32 steps, one every `hop`: (n, 32, 5, 128) uint8, n 0 for shorter pieces.

    A view of one roll, closed to writing; silent windows are among them.
    """
    codes = piece.codes
    if len(codes) < WINDOW:
        return np.zeros((0, WINDOW, *codes.shape[1:]), np.uint8)
    whole = np.lib.stride_tricks.sliding_window_view(codes, WINDOW, axis=0)
    return np.moveaxis(whole[::hop], -1, 1)


def read_bands(
    folder: Path,
    kinds: Collection[str] = ("band",),
    *,
    composers: Collection[str] | None = None,
    licensed_only: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The pieces of `folder`, in the order of its table or of the file names.

    Arguments as in `read_dataset`. `licensed_only` leaves out rows whose licence is not stated
    or says that the songs are under copyright. Raises UnreadableMusic where nothing is left.
    """
    folder = Path(folder)
    entries, skipped, remarks = _listed(folder, composers, licensed_only)
    found: list[tuple[Entry, BandPiece]] = []
    for number, entry in enumerate(entries):
        if progress:
            progress(number, len(entries))
        piece = _read(folder / entry.path)
        if not isinstance(piece, str) and "band" not in kinds and not _music(entry, piece, 1).even:
            piece = "its bars do not go together with those of 4/4"
        if isinstance(piece, str):
            skipped.append(Skipped(entry.path, piece))
        else:
            found.append((entry, piece))
    if progress:
        progress(len(entries), len(entries))
    if not found:
        raise UnreadableMusic(
            f"No music for a band in {folder}: it needs MIDI files or LPD-5 files in which two "
            "instruments or more play together."
        )
    recordings = Counter((entry.split, entry.work) for entry, _ in found)
    pieces = (_music(entry, piece, recordings[entry.split, entry.work]) for entry, piece in found)
    return Dataset(tuple(pieces), tuple(skipped), folder, remarks)


def _listed(
    folder: Path, composers: Collection[str] | None, licensed_only: bool
) -> tuple[list[Entry], list[Skipped], tuple[str, ...]]:
    """What is to be read, what is left out already, and remarks on the splits."""
    table = (folder / "MANIFEST.csv").is_file()
    files = [] if table else sorted(folder.rglob("*.npz"))
    if files:
        return list(_pianorolls(folder, files)), [], ()
    kind = "multitrack" if table else "performance"  # as a plain folder's files are called
    listing = list_music(folder, kinds=(kind,), composers=composers, licensed_only=licensed_only)
    kept, skipped = [], list(listing.skipped)
    for entry in listing.entries:
        if licensed_only and "under copyright" in entry.licence.lower():
            skipped.append(Skipped(entry.path, f"licence {entry.licence}"))
        else:
            kept.append(entry)
    return kept, skipped, tuple(listing.remarks)


def _pianorolls(folder: Path, files: list[Path]) -> Iterator[Entry]:
    for path in (file.relative_to(folder) for file in files):
        song = next((part for part in path.parts if _SONG.fullmatch(part)), path.stem)
        yield Entry(
            path=path.as_posix(),
            composer="lpd_5",
            title=path.stem,
            work=song,
            split=hashed_split(song),
            kind="band",
            licence=LPD_LICENCE,
        )


def _read(path: Path) -> BandPiece | str:
    """The music of a file, or why it is left out in a few words."""
    try:
        if not path.is_file():
            return "the file is missing"
        piece = read_pianoroll(path) if path.suffix == ".npz" else from_midi(path, trusted=True)
    except UnreadableMusic as error:
        # "This is not a MIDI file: choose one that ..." without the advice for an upload.
        return str(error).split(":")[0].rstrip(".")
    except OSError as error:
        return f"not readable: {type(error).__name__}"
    playing = piece.instruments
    if len(playing) < 2 or not {"Bass", "Piano"} & set(playing):
        return f"of the band only {' and '.join(name.lower() for name in playing)} in it"
    return piece


def _music(entry: Entry, piece: BandPiece, recordings: int) -> BandMusic:
    names: dict[str, Any] = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    return BandMusic(
        **names,
        recordings=recordings,
        notes=_notes(piece),
        spans=piece.spans,
        qpm=piece.qpm,
        meter=piece.meter,
    )


def _notes(piece: BandPiece) -> np.ndarray:
    """The pitched notes as `Piece.notes` has them."""
    spans = piece.spans[piece.spans[:, 2] != DRUMS]
    times = spans[:, :2] * (60 / piece.qpm / STEPS_PER_QUARTER)
    loud = np.full(len(spans), VELOCITY)
    notes = np.column_stack([times, spans[:, 3], loud]).astype(np.float32)
    notes = notes[np.lexsort((notes[:, 2], notes[:, 0]))]
    notes.setflags(write=False)
    return notes
