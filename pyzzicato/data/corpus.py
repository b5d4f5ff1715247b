"""A folder of MIDI files as pieces; its layouts are those of `pyzzicato.data.manifests`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path

from pyzzicato.data.manifests import Entry, Skipped, list_music
from pyzzicato.data.note_cache import NoteArray, read_many
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.paths import cache_folder

__all__ = ["read_corpus"]


def read_corpus(
    folder: Path,
    kinds: Collection[str] = ("performance",),
    *,
    composers: Collection[str] | None = None,
    licensed_only: bool = True,
    split: str = "own",
    progress: Callable[[int, int], None] | None = None,
    cache: Path | None = None,
    processes: int | None = None,
) -> Dataset:
    """Every MIDI file of `folder` as a piece; see `pyzzicato.data.load.read_dataset`."""
    listing = list_music(
        folder, kinds=kinds, composers=composers, licensed_only=licensed_only, split=split
    )
    found = read_many(
        folder,
        [entry.path for entry in listing.entries],
        progress=progress,
        cache=cache_folder() if cache is None else cache,
        processes=processes,
    )
    read: list[tuple[Entry, NoteArray]] = []
    skipped = list(listing.skipped)
    for entry in listing.entries:
        notes = found[entry.path]
        if isinstance(notes, str):
            skipped.append(Skipped(entry.path, notes))
        else:
            read.append((entry, notes))
    return Dataset(_pieces(read), tuple(skipped), folder, tuple(listing.remarks))


def _pieces(read: Collection[tuple[Entry, NoteArray]]) -> tuple[Piece, ...]:
    recordings = Counter((entry.split, entry.work) for entry, _ in read)
    return tuple(
        Piece(
            path=entry.path,
            composer=entry.composer,
            title=entry.title,
            work=entry.work,
            split=entry.split,
            kind=entry.kind,
            licence=entry.licence,
            recordings=recordings[entry.split, entry.work],
            notes=notes,
        )
        for entry, notes in read
    )
