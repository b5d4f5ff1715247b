"""MIDI files whose ticks are beats, as pieces with their notes in quarter notes too.

Files of piano-midi.de are typed in on the beat and made expressive by their tempo alone, so the
lengths in quarter notes are exact; recordings have no such beats and are skipped.

Kinds. "beats" is every performance of a folder; "beats:pianomidi" those with that word in their
path. The pedal is folded into `notes` (seconds), as everywhere, and left out of `quarters`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pyzzicato.data.corpus import read_corpus
from pyzzicato.data.manifests import Skipped
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi_events import read_events
from pyzzicato.formats.midi_notes import struck_notes
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note, cut_overlaps
from pyzzicato.paths import cache_folder
from pyzzicato.runtime.files import replacing

__all__ = ["QuarterPiece", "quarter_notes", "read_quarters"]

_FORMAT = 2  # raise it when reading changes what the arrays hold
_ON_THE_BEAT = 0.85  # of the onsets, within 0.01 of a 24th of a quarter note; by chance it is 0.48


@dataclass(frozen=True, slots=True, eq=False)
class QuarterPiece(Piece):
    """A piece; `quarters` is (n, 4) float32: start, end in quarter notes, pitch, velocity."""

    quarters: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))


def read_quarters(
    folder: Path,
    kinds: Collection[str] = ("beats",),
    *,
    composers: Collection[str] | None = None,
    licensed_only: bool = True,
    progress: Callable[[int, int], None] | None = None,
    cache: Path | None = None,
) -> Dataset:
    """The pieces of a folder whose notes follow their beats; arguments as in `read_dataset`.

    Where the chosen composers have no piece in the validation split, an eighth of their works
    in the training split becomes one. Raises UnreadableMusic where nothing is left.
    """
    if any(kind.partition(":")[0] != "beats" for kind in kinds):
        raise UnreadableMusic("Music in beats and other kinds of music cannot be read together.")
    words = [kind.partition(":")[2] for kind in kinds]
    whole = read_corpus(
        folder, composers=composers, licensed_only=licensed_only, progress=progress, cache=cache
    )
    wanted = [p for p in whole.pieces if any(word in p.path for word in words)]
    found = _read_all(folder, wanted, cache_folder() if cache is None else cache)
    kept, skipped = [], [s for s in whole.skipped if any(word in s.path for word in words)]
    for piece in wanted:
        quarters = found[piece.path]
        if _follows_beats(quarters):
            kept.append(_with(piece, quarters))
        else:
            skipped.append(Skipped(piece.path, "its notes do not follow its beats"))
    if not kept:
        raise UnreadableMusic(
            f"No music in {folder} follows its beats: this model learns from MIDI files that were "
            "written on the beat, such as those of piano-midi.de."
        )
    pieces, remark = _validated(kept)
    return Dataset(pieces, tuple(skipped), whole.folder, (*whole.remarks, *remark))


def _with(piece: Piece, quarters: np.ndarray) -> QuarterPiece:
    names = Piece.__dataclass_fields__
    return QuarterPiece(**{name: getattr(piece, name) for name in names}, quarters=quarters)


def _validated(pieces: list[QuarterPiece]) -> tuple[tuple[QuarterPiece, ...], tuple[str, ...]]:
    """The pieces, some works of the training split moved to an empty validation split."""
    works = {piece.work for piece in pieces if piece.split == "train"}
    if any(piece.split == "val" for piece in pieces) or len(works) < 2:
        return tuple(pieces), ()
    by_lot = sorted(works, key=lambda work: hashlib.blake2b(work.encode()).digest())
    moved = set(by_lot[: max(1, len(works) // 8)])
    kept = [replace(p, split="val") if p.work in moved else p for p in pieces]
    remark = f"{len(moved)} works of the training split became the validation split: it was empty."
    return tuple(kept), (remark,)


def _follows_beats(quarters: np.ndarray) -> bool:
    if len(quarters) < 2:
        return False
    ticks = quarters[:, 0].astype(np.float64) * 24
    return bool((np.abs(ticks - np.rint(ticks)) < 0.24).mean() >= _ON_THE_BEAT)


def quarter_notes(data: bytes) -> np.ndarray:
    """The notes of a MIDI file in quarter notes, (n, 4) float32, by start, then pitch.

    Keys of the piano only; the pedal is not heeded. Raises UnreadableMusic.
    """
    midi = read_events(data, len(data), whole=True)
    struck = cut_overlaps(
        Note(note.start / midi.division, note.end / midi.division, note.pitch, note.velocity)
        for note in struck_notes(midi.tracks)
        if LOWEST_KEY <= note.pitch <= HIGHEST_KEY and not note.is_drum
    )
    rows = [(note.start, note.end, note.pitch, note.velocity) for note in struck]
    notes = np.array(rows, np.float32).reshape(-1, 4)
    return notes[np.lexsort((notes[:, 2], notes[:, 0]))]


def _read_all(folder: Path, pieces: list[Piece], cache: Path) -> dict[str, np.ndarray]:
    """The notes of every piece in quarter notes, by path: from one cache file where they can be."""
    digest = hashlib.blake2b(str(folder.resolve()).encode(), digest_size=8).hexdigest()
    store = cache / f"quarters-{digest}.npz"
    stamps = {p.path: _stamp(folder / p.path) for p in pieces}
    known = _load(store)
    found = {path: known[stamp] for path, stamp in stamps.items() if stamp in known}
    missing = [path for path in stamps if path not in found]
    for path in missing:
        found[path] = quarter_notes((folder / path).read_bytes())
        found[path].setflags(write=False)
    if missing:
        _save(store, known | {stamps[path]: notes for path, notes in found.items()})
    return found


def _stamp(path: Path) -> str:
    state = path.stat()
    return json.dumps([str(path), state.st_size, state.st_mtime_ns])


def _load(store: Path) -> dict[str, np.ndarray]:
    """What the cache holds by stamp; nothing where it is absent, damaged or outdated."""
    try:
        with store.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            head = json.loads(arrays["head"].tobytes())
            notes = arrays["notes"]
        if head["format"] != _FORMAT or sum(head["lengths"]) != len(notes):
            return {}
        notes.setflags(write=False)
        parts = np.split(notes, np.cumsum(head["lengths"])[:-1])
        return dict(zip(head["stamps"], parts, strict=True))
    except Exception:  # a damaged archive fails in more ways than can be named
        return {}


def _save(store: Path, found: dict[str, np.ndarray]) -> None:
    """Writes the cache in one move; without leave to write, goes on without it."""
    head = {"format": _FORMAT, "stamps": list(found), "lengths": [len(n) for n in found.values()]}
    with contextlib.suppress(OSError):
        store.parent.mkdir(parents=True, exist_ok=True)
        with replacing(store) as beside:
            np.savez(
                beside,
                head=np.frombuffer(json.dumps(head).encode(), np.uint8),
                notes=np.concatenate(list(found.values())),
            )
