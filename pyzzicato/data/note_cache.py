"""Many MIDI files as arrays of notes: read once, in parallel, then from one cache file.

The cache is one `.npz` a folder of music, in `pyzzicato.paths.cache_folder`. Each file in
it is known by its path, size and time of change, so only new and changed files are read again.
A damaged cache is read as empty and written anew; one that cannot be written is done without.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pyzzicato.errors import UnreadableMusic
from pyzzicato.runtime.files import replacing
from pyzzicato.runtime.processes import spread

__all__ = ["NoteArray", "read_many", "read_notes"]

NoteArray = npt.NDArray[np.float32]
"""Notes as rows of start s, end s, pitch, velocity, sorted by start, then pitch: (n, 4)."""

Found = NoteArray | str
"""The notes of a file, or why it has none."""

_FORMAT = 3  # raise it when reading changes what the arrays hold
_LONGEST = 6 * 3600  # seconds; more is a damaged clock, not a recording
_FEW = 64  # files that one process reads before a second has started


def read_notes(path: Path) -> NoteArray:
    """The pitched notes of a MIDI file as `pyzzicato.formats.midi` reads them, pedal folded in.

    May be longer than an upload, up to 6 hours. Raises UnreadableMusic, also without notes.
    """
    from pyzzicato.formats.midi import piano_part, read_midi

    sequence = read_midi(path, trusted=True)
    if not len(sequence):
        raise UnreadableMusic("no notes")
    sequence = piano_part(sequence)
    if sequence.duration > _LONGEST:
        raise UnreadableMusic(f"longer than {_LONGEST // 3600} hours")
    rows = [(note.start, note.end, note.pitch, note.velocity) for note in sequence]
    notes: NoteArray = np.array(rows, np.float32).reshape(-1, 4)
    # Far from the start a very short note can end where it begins, in single precision.
    notes = notes[notes[:, 1] > notes[:, 0]]
    return notes[np.lexsort((notes[:, 2], notes[:, 0]))]


def read_many(
    folder: Path,
    paths: Sequence[str],
    *,
    progress: Callable[[int, int], None] | None = None,
    cache: Path | None = None,
    processes: int | None = None,
) -> dict[str, Found]:
    """The notes of every path under `folder`, or the reason why a file has none.

    `progress` is told (files done, files in all). `cache` is a folder, None for no cache.
    `processes` is how many to read with: None for one a core, 1 for none beside this one.
    """
    store = None if cache is None else cache / f"notes-{_digest(str(folder.resolve()))}.npz"
    stamps = {path: _stamp(folder, path) for path in paths}
    known = {} if store is None else _load(store)
    found = {p: known[s] for p, s in stamps.items() if s in known}
    missing = [path for path in stamps if path not in found]
    total = len(stamps)
    if progress:
        progress(len(found), total)
    for path, notes in _read_all(folder, missing, processes):
        found[path] = _locked(notes)
        if progress:
            progress(len(found), total)
    if store is not None and missing:
        old = {s: n for s, n in known.items() if _still_there(folder, s)}
        _save(store, old | {stamps[path]: notes for path, notes in found.items()})
    return found


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=8).hexdigest()


def _stamp(folder: Path, path: str) -> str:
    """A text that changes when the file does: path, size, time of change."""
    try:
        state = (folder / path).stat()
    except (OSError, ValueError):
        return json.dumps([path, -1, -1])
    return json.dumps([path, state.st_size, state.st_mtime_ns])


def _still_there(folder: Path, stamp: str) -> bool:
    return _stamp(folder, json.loads(stamp)[0]) == stamp


def _read_one(folder: str, path: str) -> Found:
    """The notes of one file, or the reason in a few words: nothing stops the other files."""
    file = Path(folder, path)
    try:
        if not file.is_file():
            return "the file is missing"
        if not file.stat().st_size:
            return "the file is empty"
        notes = read_notes(file)
    except UnreadableMusic as error:
        # "This is not a MIDI file: choose one that ..." without the advice for an upload.
        return str(error).split(":")[0].rstrip(".")
    except (OSError, ValueError) as error:
        return f"not readable: {type(error).__name__}"
    return notes if len(notes) else "no notes"


def _locked(notes: Found) -> Found:
    """`notes`, which many pieces may share, closed to writing."""
    if not isinstance(notes, str):
        notes.setflags(write=False)
    return notes


def _read_all(
    folder: Path, paths: Sequence[str], processes: int | None
) -> Iterator[tuple[str, Found]]:
    """(path, notes or reason) of every path, in order, with several processes for many files."""
    workers = min(processes or os.cpu_count() or 1, max(1, len(paths) // 16))
    if processes is None and len(paths) <= _FEW:
        workers = 1
    read = partial(_read_one, str(folder))
    return zip(paths, spread(read, paths, workers, together=8), strict=True)


def _load(store: Path) -> dict[str, Found]:
    """What a cache file holds, by stamp: nothing where it is absent, damaged or outdated."""
    try:
        # np.load leaves a damaged file open when it is given the name only.
        with store.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            head = json.loads(arrays["head"].tobytes())
            if head["format"] != _FORMAT:
                return {}
            times, keys = arrays["times"], arrays["keys"]
        if not len(times) == len(keys) == sum(head["lengths"]):
            return {}
        notes = np.empty((len(times), 4), np.float32)
        notes[:, :2], notes[:, 2:] = times, keys
        notes.setflags(write=False)
        ends = np.cumsum(head["lengths"], dtype=np.int64).tolist()
        borders = zip([0, *ends], ends, strict=False)
        pieces = [notes[start:end] for start, end in borders]
        return {**dict(zip(head["stamps"], pieces, strict=True)), **head["reasons"]}
    except Exception:  # a damaged archive fails in more ways than can be named
        return {}


def _save(store: Path, found: Mapping[str, Found]) -> None:
    """Write the cache file in one move; without room or leave to write, go on without it."""
    pieces = {stamp: notes for stamp, notes in found.items() if not isinstance(notes, str)}
    head = {
        "format": _FORMAT,
        "stamps": list(pieces),
        "lengths": [len(notes) for notes in pieces.values()],
        "reasons": {stamp: notes for stamp, notes in found.items() if isinstance(notes, str)},
    }
    stacked = np.concatenate([np.empty((0, 4), np.float32), *pieces.values()])
    with contextlib.suppress(OSError):
        store.parent.mkdir(parents=True, exist_ok=True)
        with replacing(store) as beside:
            np.savez(
                beside,
                head=np.frombuffer(json.dumps(head).encode(), np.uint8),
                times=stacked[:, :2],
                keys=stacked[:, 2:].astype(np.uint8),
            )
