"""What a folder of music holds, before any note is read: three layouts, found by looking.

1. A folder with `MANIFEST.csv`: one row a file, with the columns path, composer, title,
   licence, kind, split and work_id.
2. An unpacked MAESTRO: its own table, `maestro-v3.0.0.csv` or another version's.
3. A plain folder of MIDI by composer: `Chopin/prelude.mid`.

Splits are by work, never by recording: where a table puts recordings of one work into two
splits, the whole work goes into the split that has most of them (at a tie into the one that is
trained on, so that nothing that was trained on is ever tested).
"""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from pyzzicato.errors import UnreadableMusic

__all__ = ["SPLITS", "Entry", "Listing", "Skipped", "composer_id", "list_music"]

SPLITS = ("train", "val", "test")
MAESTRO_LICENCE = "CC BY-NC-SA 4.0"
OWN_FILES_LICENCE = "your own files"
_MIDI_SUFFIXES = (".mid", ".midi")
_SPLIT_WORDS = {"train": "train", "val": "val", "validation": "val", "test": "test"}
_TAKE = re.compile(r"(\s*\(\d+\)|[\s_-]*\btake[\s_-]*\d+|[\s_-]+copy)+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and why, in a few words."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that is to be read; `path` is relative to the folder, with forward slashes."""

    path: str
    composer: str
    title: str
    work: str
    split: str
    kind: str
    licence: str


@dataclass(slots=True)
class Listing:
    """The files of a folder, those left out, and what was decided about the splits."""

    entries: list[Entry] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def list_music(
    folder: Path,
    *,
    kinds: Collection[str] = ("performance",),
    composers: Collection[str] | None = None,
    licensed_only: bool = True,
) -> Listing:
    """The files of `folder` by its layout; `composers` are ids such as "chopin", None is all.

    Raises UnreadableMusic where there is no such folder, no music in it, or a damaged table.
    """
    if not folder.is_dir():
        raise UnreadableMusic(f"There is no folder {folder}: check the path to your music.")
    manifest, maestro = folder / "MANIFEST.csv", sorted(folder.glob("maestro-v*.csv"))
    if manifest.is_file():
        listing = _from_manifest(manifest, kinds, composers, licensed_only)
    elif maestro:
        listing = _from_maestro(maestro[-1], composers)
    else:
        listing = _from_folders(folder, composers)
    if not any(kind in kinds for kind in ("performance",)) and not manifest.is_file():
        listing.entries.clear()
    return _whole_works(listing)


def composer_id(text: str) -> str:
    """The id of a composer from a folder name or a full name: "CPE_Bach" is "cpe-bach"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "unknown"


def _rows(table: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """The rows of a table with at least `columns`; missing cells are empty texts."""
    try:
        with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            reader = csv.DictReader(file, restval="")
            missing = sorted(set(columns) - set(reader.fieldnames or ()))
            if missing:
                raise UnreadableMusic(
                    f"{table.name} has no column {', '.join(missing)}: unpack your music again."
                )
            return list(reader)
    except (OSError, csv.Error):
        raise UnreadableMusic(f"{table.name} cannot be read: unpack your music again.") from None


def _from_manifest(
    table: Path,
    kinds: Collection[str],
    composers: Collection[str] | None,
    licensed_only: bool,
) -> Listing:
    listing = Listing()
    columns = ("path", "composer", "title", "licence", "kind", "split", "work_id")
    for row in _rows(table, columns):
        composer = composer_id(row["composer"])
        if row["kind"] not in kinds or (composers is not None and composer not in composers):
            continue
        path, split = row["path"], _SPLIT_WORDS.get(row["split"].lower())
        licence = row["licence"].strip() or "not stated"
        reason = ""
        if licensed_only and licence.lower().startswith("not stated"):
            reason = f"licence {licence}"
        elif split is None:
            reason = "in none of the splits train, val and test"
        else:
            reason = _bad_path(path)
        if reason or split is None:
            listing.skipped.append(Skipped(path, reason))
            continue
        work = row["work_id"] or _work(composer, row["title"])
        listing.entries.append(
            Entry(path, composer, row["title"], work, split, row["kind"], licence)
        )
    return listing


def _from_maestro(table: Path, composers: Collection[str] | None) -> Listing:
    listing = Listing()
    columns = ("canonical_composer", "canonical_title", "split", "midi_filename")
    for row in _rows(table, columns):
        # "Franz Schubert / Franz Liszt" is the composer, then who arranged it.
        composer = composer_id(row["canonical_composer"].split("/")[0])
        if composers is not None and composer not in composers:
            continue
        path, title = row["midi_filename"], row["canonical_title"]
        split = _SPLIT_WORDS.get(row["split"].lower())
        reason = _bad_path(path)
        if split is None:
            reason = "in none of the splits train, validation and test"
        if reason or split is None:
            listing.skipped.append(Skipped(path, reason))
            continue
        work = _work(composer_id(row["canonical_composer"]), title)
        listing.entries.append(
            Entry(path, composer, title, work, split, "performance", MAESTRO_LICENCE)
        )
    return listing


def _from_folders(folder: Path, composers: Collection[str] | None) -> Listing:
    listing = Listing()
    files = [f for f in folder.rglob("*") if f.suffix.lower() in _MIDI_SUFFIXES and f.is_file()]
    if not files:
        raise UnreadableMusic(
            f"There is no music in {folder}: it needs a MANIFEST.csv, an unpacked MAESTRO, or "
            "MIDI files in one folder a composer."
        )
    for file in sorted(files):
        path = file.relative_to(folder)
        if len(path.parts) < 2:
            listing.skipped.append(Skipped(path.as_posix(), "in no composer's folder"))
            continue
        composer = composer_id(path.parts[0])
        if composers is not None and composer not in composers:
            continue
        title = _TAKE.sub("", file.stem) or file.stem
        work = _work(composer, title)
        listing.entries.append(
            Entry(
                path.as_posix(),
                composer,
                title.replace("_", " "),
                work,
                _hashed_split(work),
                "performance",
                OWN_FILES_LICENCE,
            )
        )
    return listing


def _bad_path(path: str) -> str:
    """Why a table's path is not read, or an empty text."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        return "outside the folder"
    if pure.suffix.lower() not in _MIDI_SUFFIXES:
        return "not a MIDI file"
    return ""


def _work(composer: str, title: str) -> str:
    """The same text for every recording of a work, whatever its capitals and punctuation."""
    return f"{composer}/{composer_id(title)}"


def _hashed_split(work: str) -> str:
    """80 % train, 10 % val, 10 % test, the same for ever: new files do not move old ones."""
    tenth = int.from_bytes(hashlib.blake2b(work.encode(), digest_size=8).digest(), "big") % 10
    return {8: "val", 9: "test"}.get(tenth, "train")


def _whole_works(listing: Listing) -> Listing:
    """The listing with every work in one split only; says so in a remark where that moved any."""
    splits: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in listing.entries:
        splits[entry.work][entry.split] += 1
    target = {
        work: max(SPLITS, key=lambda name: (counts[name], -SPLITS.index(name)))
        for work, counts in splits.items()
    }
    torn = sum(len(counts) > 1 for counts in splits.values())
    if torn:
        listing.remarks.append(
            f"{torn} works stood in more than one split: each went whole into the split with most "
            "of its recordings (at a tie into train)."
        )
    listing.entries = [replace(e, split=target[e.work]) for e in listing.entries]
    return listing
