"""What a folder of music holds, before any note is read: three layouts, found by looking.

1. A folder with `MANIFEST.csv`: one row a file, with the columns path, composer, title,
   licence, kind, split and work_id.
2. An unpacked MAESTRO: its own table, `maestro-v3.0.0.csv` or another version's, in the folder
   or in the folder inside it that unpacking makes.
3. A plain folder of MIDI by composer: `Chopin/prelude.mid`.

Splits are by work, never by recording: where a table puts recordings of one work into two
splits, the whole work goes into the split that has most of them (at a tie into the one that is
trained on, so that nothing that was trained on is ever tested).

A manifest that has a column `maestro` too (the split of MAESTRO in which a work has a recording,
empty where none) can be split in a second way, so that figures can be compared with published
ones: every work that either column calls "test" is test music, and the others stay as they are.
"""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from pyzzicato.errors import UnknownName, UnreadableMusic
from pyzzicato.music.composers import COMPOSERS, find_composer

__all__ = [
    "SPLITS",
    "WAYS_TO_SPLIT",
    "Entry",
    "Listing",
    "Skipped",
    "composer_id",
    "hashed_split",
    "list_music",
]

SPLITS = ("train", "val", "test")
WAYS_TO_SPLIT = ("own", "maestro")
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

    def add(self, entry: Entry) -> None:
        """Take `entry`, or skip it where its table gives it no split or no path of a MIDI file."""
        split = _SPLIT_WORDS.get(entry.split.lower())
        reason = _bad_path(entry.path)
        if split is None:
            reason = "in none of the splits train, val and test"
        if split is None or reason:
            self.skipped.append(Skipped(entry.path, reason))
        else:
            self.entries.append(replace(entry, split=split))


def list_music(
    folder: Path,
    *,
    kinds: Collection[str] = ("performance",),
    composers: Collection[str] | None = None,
    licensed_only: bool = True,
    split: str = "own",
) -> Listing:
    """The files of `folder` by its layout; `composers` are ids such as "chopin", None is all.

    `split` is one of `WAYS_TO_SPLIT`; "maestro" needs a manifest with that column, and an unpacked
    MAESTRO is split so anyway. Raises UnreadableMusic where there is no such folder, no music in
    it, or a damaged table, UnknownName for another way to split.
    """
    if split not in WAYS_TO_SPLIT:
        raise UnknownName(
            f"There is no way to split called {split!r}: choose one of {', '.join(WAYS_TO_SPLIT)}."
        )
    if not folder.is_dir():
        raise UnreadableMusic(f"There is no folder {folder}: check the path to your music.")
    wanted = None if composers is None else {composer_id(text) for text in composers}
    manifest = folder / "MANIFEST.csv"
    maestro = sorted(folder.glob("maestro-v*.csv")) or sorted(folder.glob("*/maestro-v*.csv"))
    if manifest.is_file():
        listing = _from_manifest(manifest, kinds, wanted, licensed_only, split)
    elif maestro:
        listing = _from_maestro(maestro[-1], folder, kinds, wanted)
    elif split == "maestro":
        raise UnreadableMusic(
            f"{folder} has no MANIFEST.csv with a column maestro: split it in its own way."
        )
    else:
        listing = _from_folders(folder, kinds, wanted)
    return _whole_works(listing)


def composer_id(text: str) -> str:
    """The id of a composer from an id, a folder name or a full name, middle names or not.

    "Pyotr Ilyich Tchaikovsky" is "tchaikovsky"; somebody unknown is made an id of the same form.
    """
    try:
        return find_composer(text).id
    except UnknownName:
        pass
    names = _slug(text).split("_")
    for composer in COMPOSERS:
        known = _slug(composer.name).split("_")
        # Every known name must be there in order, so that no Bach is taken for another.
        rest = iter(names)
        if names[-1] == known[-1] and names[0] == known[0] and all(n in rest for n in known):
            return composer.id
    return "_".join(names)


def _slug(text: str) -> str:
    """`text` in lower case without accents and punctuation: "Étude, No. 3" is "etude_no_3"."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in letters if not unicodedata.combining(c))
    return "_".join(re.findall(r"[^\W_]+", plain)) or "unknown"


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
    split: str,
) -> Listing:
    listing = Listing()
    columns = ["path", "composer", "title", "licence", "kind", "split", "work_id"]
    rows = _rows(table, [*columns, "maestro"] if split == "maestro" else columns)
    ways = ("split", "maestro")
    tests = {_work_of(row) for row in rows if "test" in (row.get(w, "").lower() for w in ways)}
    for row in rows:
        composer, licence = composer_id(row["composer"]), row["licence"].strip() or "not stated"
        if row["kind"] not in kinds or (composers is not None and composer not in composers):
            continue
        work = _work_of(row)
        part = "test" if split == "maestro" and work in tests else row["split"]
        entry = Entry(row["path"], composer, row["title"], work, part, row["kind"], licence)
        if licensed_only and licence.lower().startswith("not stated"):
            listing.skipped.append(Skipped(entry.path, f"licence {licence}"))
        else:
            listing.add(entry)
    return listing


def _work_of(row: Mapping[str, str]) -> str:
    """The work of a manifest's row."""
    return row["work_id"] or _work(composer_id(row["composer"]), row["title"])


def _from_maestro(
    table: Path, folder: Path, kinds: Collection[str], composers: Collection[str] | None
) -> Listing:
    listing = Listing()
    inside = PurePosixPath(table.parent.relative_to(folder).as_posix())
    columns = ("canonical_composer", "canonical_title", "split", "midi_filename")
    for row in _rows(table, columns):
        # "Franz Schubert / Franz Liszt" is the composer, then who arranged it.
        composer = composer_id(row["canonical_composer"].split("/")[0])
        if "performance" not in kinds or (composers is not None and composer not in composers):
            continue
        title = row["canonical_title"]
        listing.add(
            Entry(
                path=str(inside / row["midi_filename"]),
                composer=composer,
                title=title,
                work=_work(row["canonical_composer"], title),
                split=row["split"],
                kind="performance",
                licence=MAESTRO_LICENCE,
            )
        )
    return listing


def _from_folders(
    folder: Path, kinds: Collection[str], composers: Collection[str] | None
) -> Listing:
    files = [path for path in sorted(folder.rglob("*")) if _is_music(path, folder)]
    if not files:
        raise UnreadableMusic(
            f"There is no music in {folder}: it needs a MANIFEST.csv, an unpacked MAESTRO, or "
            "MIDI files in one folder a composer."
        )
    listing = Listing()
    for path in (file.relative_to(folder) for file in files):
        if len(path.parts) < 2:
            listing.skipped.append(Skipped(path.as_posix(), "in no composer's folder"))
            continue
        composer = composer_id(path.parts[0])
        if "performance" not in kinds or (composers is not None and composer not in composers):
            continue
        title = (_TAKE.sub("", path.stem) or path.stem).replace("_", " ")
        work = _work(composer, title)
        split = hashed_split(work)
        listing.add(
            Entry(path.as_posix(), composer, title, work, split, "performance", OWN_FILES_LICENCE)
        )
    return listing


def _is_music(path: Path, folder: Path) -> bool:
    """Whether `path` is a MIDI file and not one of the shadows that systems put beside files."""
    parts = path.relative_to(folder).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return path.suffix.lower() in _MIDI_SUFFIXES and not hidden and path.is_file()


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
    return f"{_slug(composer)}/{_slug(title)}"


def hashed_split(work: str) -> str:
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
