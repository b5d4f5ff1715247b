"""Training music of one recipe in one small file, to be carried to another computer.

The file is an LZMA-compressed `.npz` with, of all pieces one after another, a number a note:

    time      uint16  10 ms steps since the note before
    pitch     uint8   0-127
    length    uint16  thirds of a duration bin of `pyzzicato.codecs.performance`
    velocity  uint8   0-31, four MIDI velocities each

and `head`, a JSON text with what is known of each piece. Every code of
`pyzzicato.codecs.performance` comes back as it was. Only what is trained on and checked by is in
it: no test music leaves the place.
"""

from __future__ import annotations

import io
import json
import lzma
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.codecs.performance import TICKS
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import UnreadableMusic

__all__ = ["pack", "packed_music"]

SHORTEST, LONGEST = 0.02, 10.0  # seconds, of the duration bins
THIRDS = 3 * 95
FIELDS = ("path", "composer", "title", "work", "split", "kind", "licence", "recordings")


def pack(dataset: Dataset, training: Mapping[str, Any], path: Path) -> int:
    """Writes what `training`, a recipe's table, has chosen as `dataset`; returns the bytes."""
    pieces = [*dataset.split("train"), *dataset.split("val")]
    rows = [_sorted(piece) for piece in pieces]
    head = {
        "asked": _asked(training),
        "lengths": [len(each) for each in rows],
        "pieces": [[getattr(piece, name) for name in FIELDS] for piece in pieces],
    }
    ticks = [np.diff(np.rint(each[:, 0] * TICKS).astype(np.int64), prepend=0) for each in rows]
    notes = np.concatenate([np.empty((0, 4)), *rows])
    length = np.clip(notes[:, 1] - notes[:, 0], SHORTEST, LONGEST)
    third = np.rint(THIRDS * np.log(length / SHORTEST) / np.log(LONGEST / SHORTEST))
    buffer = io.BytesIO()
    np.savez(
        buffer,
        head=np.frombuffer(json.dumps(head).encode(), np.uint8),
        # The two bytes of a number apart: the upper ones are nearly all alike.
        time=_bytes_apart(np.concatenate([np.empty(0, np.int64), *ticks])),
        pitch=notes[:, 2].astype(np.uint8),
        length=_bytes_apart(third),
        velocity=(notes[:, 3] // 4).astype(np.uint8),
    )
    made = lzma.compress(buffer.getbuffer(), preset=4)
    path.write_bytes(made)
    return len(made)


def packed_music(training: Mapping[str, Any], path: Path) -> Dataset:
    """The pieces in a packed file; raises UnreadableMusic where it is damaged or was packed for
    a recipe that asks for other music."""
    try:
        with np.load(io.BytesIO(lzma.decompress(path.read_bytes())), allow_pickle=False) as arrays:
            stored = dict(arrays)
        head = json.loads(stored["head"].tobytes())
        pieces = _pieces(head, stored)
    except Exception as error:  # a damaged archive fails in more ways than can be named
        raise UnreadableMusic(
            f"{path} is no packed training music: name a folder of music, or pack it again with "
            "tools/carry_training.py."
        ) from error
    if head["asked"] != _asked(training):
        raise UnreadableMusic(
            f"{path} was packed for another recipe: pack it again with tools/carry_training.py."
        )
    return Dataset(tuple(pieces), (), path)


def _asked(training: Mapping[str, Any]) -> dict[str, Any]:
    """What a recipe says of the music it wants, as JSON gives it back."""
    wanted = {"kinds": ["performance"], "composers": None, "split": "own"}
    return {name: training.get(name, usual) for name, usual in wanted.items()}


def _sorted(piece: Piece) -> np.ndarray:
    """The notes in the order of their steps, then of pitch."""
    notes = piece.notes.astype(np.float64)
    return notes[np.lexsort((notes[:, 2], np.rint(notes[:, 0] * TICKS)))]


def _bytes_apart(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers up to 65,535 as (2, n) bytes, the lower ones first; larger are cut."""
    low, high = np.divmod(np.minimum(numbers, 65535).astype(np.int64), 256)[::-1]
    return np.stack([low, high]).astype(np.uint8)


def _pieces(head: Mapping[str, Any], stored: Mapping[str, np.ndarray]) -> Sequence[Piece]:
    time, third = (stored[n][0] + 256.0 * stored[n][1] for n in ("time", "length"))
    notes = np.empty((len(time), 4), np.float32)
    notes[:, 2], notes[:, 3] = stored["pitch"], stored["velocity"] * 4.0 + 2
    length = SHORTEST * (LONGEST / SHORTEST) ** (third / THIRDS)
    stops = np.cumsum(head["lengths"], dtype=np.int64).tolist()
    pieces = []
    for known, first, stop in zip(head["pieces"], [0, *stops], stops, strict=False):
        part = notes[first:stop]
        start = np.cumsum(time[first:stop]) / TICKS
        part[:, 0], part[:, 1] = start, start + length[first:stop]
        part.setflags(write=False)
        pieces.append(Piece(**dict(zip(FIELDS, known, strict=True)), notes=part))
    return pieces
