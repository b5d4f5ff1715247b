"""Files of LPD-5, the Lakh Pianoroll Dataset with five tracks, as pypianoroll saves them.

What is relied on. A file is a `.npz` with `info.json`: `resolution` (of older versions
`beat_resolution`, 24 in LPD-5) steps a quarter note, and for each track, under "0", "1" and so
on, its `name`, `program` and `is_drum`. Track n is a matrix of (steps, 128) velocities in
compressed sparse columns: `pianoroll_n_csc_data`, `_csc_indices` (steps), `_csc_indptr` (129
borders between the pitches) and `_csc_shape`. `tempo` is quarter notes a minute at each step,
`downbeat` true where a bar begins; both may be missing.

A track is one of five by its name (Drums, Piano, Guitar, Bass, Strings), else by its program.
Neighbouring steps of one pitch are one note, as pypianoroll itself takes them: it leaves a gap
before a key that is struck again. Drums are onsets.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.codecs.multitrack_roll import PITCHES, STEPS_PER_QUARTER, BandPiece, band_spans
from pyzzicato.errors import UnreadableMusic
from pyzzicato.music.instruments import INSTRUMENTS, place_of

__all__ = ["read_pianoroll"]

_MOST_BYTES = 200_000_000  # unpacked
_MOST_TRACKS = 256
_QPM = (10.0, 1000.0)


def read_pianoroll(path: Path) -> BandPiece:
    """The music of one file; bars begin at steps divisible by their length.

    Raises UnreadableMusic where it is no such file, or none of the five instruments plays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > _MOST_BYTES:
                raise UnreadableMusic(f"{path.name} is too large: it unpacks to over 200 MB.")
        with np.load(path, allow_pickle=False) as file:
            info = json.loads(file["info.json"])
            arrays = {name: file[name] for name in file.files if name != "info.json"}
        return _piece(info, arrays)
    except UnreadableMusic:
        raise
    except Exception:  # a damaged archive fails in more ways than can be named
        raise UnreadableMusic(
            f"{path.name} is not a file of pypianoroll: download it again."
        ) from None


def _piece(info: dict[str, Any], arrays: dict[str, np.ndarray]) -> BandPiece:
    resolution = int(info.get("resolution") or info["beat_resolution"])
    if resolution < 1:
        raise ValueError(resolution)
    meter, shift = _bars(arrays.get("downbeat"), resolution)
    rows, lost = [np.zeros((0, 4))], 0
    for number in range(_MOST_TRACKS):
        track = info.get(str(number))
        if track is None:
            break
        notes = _notes({k: arrays[f"pianoroll_{number}_csc_{k}"] for k in _PARTS})
        name = str(track.get("name", "")).strip().capitalize()
        place = (
            INSTRUMENTS.index(name)
            if name in INSTRUMENTS
            else place_of(int(track.get("program") or 0), bool(track.get("is_drum")))
        )
        if place is None:
            lost += len(notes)
        else:
            rows.append(np.insert(notes, 2, place, axis=1))
    found = np.concatenate(rows)
    if not len(found):
        raise UnreadableMusic("No drums, piano, guitar, bass or strings play in this file.")
    found[:, :2] = np.rint((found[:, :2] + shift) * STEPS_PER_QUARTER / resolution)
    dropped = (f"{lost:,} notes of other instruments were left out.",) if lost else ()
    return BandPiece(band_spans(found), _tempo(arrays.get("tempo")), dropped, meter)


_PARTS = ("data", "indices", "indptr", "shape")


def _notes(track: dict[str, np.ndarray]) -> np.ndarray:
    """(first step, step of the end, pitch) of the notes of a track, at its own resolution."""
    steps, pitches = (int(size) for size in track["shape"])
    borders, times = track["indptr"].astype(np.int64), track["indices"].astype(np.int64)
    if pitches != PITCHES or len(borders) != PITCHES + 1 or borders[-1] != len(times):
        raise ValueError("not 128 pitches")
    pitch = np.repeat(np.arange(PITCHES), np.diff(borders))
    heard = track["data"] != 0
    times, pitch = times[heard], pitch[heard]
    if len(times) and not 0 <= times.min() <= times.max() < steps:
        raise ValueError("a note outside the roll")
    order = np.lexsort((times, pitch))
    times, pitch = times[order], pitch[order]
    apart = (np.diff(times) != 1) | (np.diff(pitch) != 0)
    first = np.concatenate([np.ones(min(len(times), 1), bool), apart])
    last = np.concatenate([apart, np.ones(min(len(times), 1), bool)])
    return np.stack([times[first], times[last] + 1, pitch[first]], axis=1).astype(np.float64)


def _bars(downbeat: np.ndarray | None, resolution: int) -> tuple[tuple[int, int], int]:
    """The meter of most bars in quarters, and the steps to shift so that bars begin at 0."""
    bars = np.flatnonzero(np.ravel(downbeat)) if downbeat is not None else np.zeros(0, np.int64)
    if len(bars) < 2:
        return (4, 4), 0
    lengths, counts = np.unique(np.diff(bars), return_counts=True)
    length = int(lengths[counts.argmax()])
    if length % resolution:
        return (4, 4), 0
    return (length // resolution, 4), int(-bars[0] % length)


def _tempo(tempo: np.ndarray | None) -> float:
    """The tempo of most steps, 120 where none is given."""
    values = np.ravel(tempo).astype(np.float64) if tempo is not None else np.zeros(0)
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.clip(np.median(values), *_QPM)) if len(values) else 120.0
