"""ABC files of a folder as pieces: one tune each, with its text, its notes and its split.

Kinds. "abc" is every tune of every ABC file; "abc:jigs" those of the collection "jigs". With a
MANIFEST.csv the rows of kind "abc" are read, named `<collection>_<split>.abc`; a tune also
belongs to the collection whose MIDI version stands in the table as `<collection>N.mid` with the
tune's number and title, as the Nottingham tunes do, and then has that row's work. Without a
table every *.abc file is read, its name is the collection, and tunes are split by title.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from pyzzicato.data.manifests import OWN_FILES_LICENCE, SPLITS, Skipped
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.abc.notation import repaired_abc
from pyzzicato.formats.abc.text import lines_of
from pyzzicato.music.notes import NoteSequence

__all__ = ["AbcPiece", "field_of", "read_tunes", "split_tunes"]

_MIDI_NAME = re.compile(r"([A-Za-z][\w-]*?)(\d+)\.mid")


@dataclass(frozen=True, slots=True, eq=False)
class AbcPiece(Piece):
    """A tune: `text` as it stands in the file, without empty lines; see `Piece` for the rest."""

    text: str = ""
    collection: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    licence: str
    split: str  # "" where the titles decide
    collection: str


def field_of(text: str, letter: str) -> str:
    """What the first field `letter` of a tune says, without spaces around it; "" without one."""
    found = re.search(rf"^{letter}:(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def split_tunes(text: str) -> list[str]:
    """The tunes of an ABC file: each begins with its X: line; empty lines are left out."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    blocks = re.split(r"^(?=X:)", plain, flags=re.MULTILINE)[1:]
    return ["\n".join(filter(str.strip, lines_of(block))) for block in blocks]


def read_tunes(
    folder: Path, kinds: Collection[str] = ("abc",), *, licensed_only: bool = True
) -> Dataset:
    """The tunes of a folder. `kinds` are "abc" and "abc:<collection>".

    A tune without a note that can be read is skipped. Raises UnreadableMusic where the folder
    has no such tune, or where other kinds are asked for too.
    """
    if any(kind.partition(":")[0] != "abc" for kind in kinds):
        raise UnreadableMusic("ABC tunes and other kinds of music cannot be read together.")
    wanted = {kind.partition(":")[2] for kind in kinds}
    rows = _rows(folder / "MANIFEST.csv")
    twins, skipped = _twins(rows), []
    pieces: list[AbcPiece] = []
    for file in _files(folder, rows):
        if licensed_only and file.licence.lower().startswith("not stated"):
            skipped.append(Skipped(file.path, f"licence {file.licence}"))
            continue
        for tune in split_tunes((folder / file.path).read_text(encoding="utf-8", errors="replace")):
            collection, work = _place(tune, file, twins)
            if not wanted & {"", collection}:
                continue
            piece = _piece(tune, file, collection, work)
            if len(piece.notes):
                pieces.append(piece)
            else:
                skipped.append(Skipped(piece.path, "no notes"))
    if not pieces:
        raise UnreadableMusic(
            f"There are no ABC tunes of the kind {' or '.join(kinds)} in {folder}: "
            "it needs *.abc files."
        )
    return Dataset(tuple(pieces), tuple(skipped), folder)


def _rows(table: Path) -> list[dict[str, str]]:
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
        return list(csv.DictReader(lines, restval=""))


def _files(folder: Path, rows: list[dict[str, str]]) -> Iterator[_File]:
    """The ABC files: by the table where there is one, else all below the folder."""
    listed = [row for row in rows if row["kind"] == "abc" and row["split"] in SPLITS]
    for row in listed:
        path = PurePosixPath(row["path"])
        if path.is_absolute() or ".." in path.parts:
            continue
        collection = path.stem.removesuffix(f"_{row['split']}")
        yield _File(str(path), row["licence"].strip() or "not stated", row["split"], collection)
    if not rows:
        for found in sorted(folder.rglob("*.abc")):
            yield _File(found.relative_to(folder).as_posix(), OWN_FILES_LICENCE, "", found.stem)


def _twins(rows: list[dict[str, str]]) -> dict[tuple[int, str], tuple[str, str]]:
    """Collection and work of MIDI versions, by number and title of the tune."""
    twins = {}
    for row in rows:
        name = _MIDI_NAME.fullmatch(PurePosixPath(row["path"]).name)
        if name and row["kind"] == "melody+chords midi":
            twins[int(name[2]), row["title"].strip()] = (name[1], row["work_id"])
    return twins


def _place(
    tune: str, file: _File, twins: dict[tuple[int, str], tuple[str, str]]
) -> tuple[str, str]:
    """The collection and the work that a tune belongs to."""
    number, title = field_of(tune, "X"), field_of(tune, "T")
    own = (file.collection, f"{file.collection}/{number}/{title.casefold()}")
    return twins.get((int(number), title), own) if number.isdecimal() else own


def _piece(tune: str, file: _File, collection: str, work: str) -> AbcPiece:
    title = field_of(tune, "T")
    return AbcPiece(
        path=f"{file.path}#{field_of(tune, 'X')}",
        composer="traditional",
        title=title,
        work=work,
        split=file.split or _hashed_split(title),
        kind="abc",
        licence=file.licence,
        recordings=1,
        notes=_notes(repaired_abc(tune).sequence),
        text=tune,
        collection=collection,
    )


def _notes(sequence: NoteSequence) -> np.ndarray:
    notes = np.array([(n.start, n.end, n.pitch, n.velocity) for n in sequence], np.float32)
    notes = notes.reshape(-1, 4)
    notes.flags.writeable = False
    return notes


def _hashed_split(title: str) -> str:
    """80 % train, 10 % val, 10 % test, by title: versions of one tune stay together."""
    key = " ".join(re.findall(r"\w+", title.casefold()))
    tenth = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") % 10
    return {8: "val", 9: "test"}.get(tenth, "train")
