"""What a person can keep of a piece: files that are made only when they are asked for."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from pyzzicato.formats.abc.tune_book import tune_book
from pyzzicato.formats.midi import write_midi
from pyzzicato.generation.controls import declared
from pyzzicato.music.layering import layered
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.ui import links
from pyzzicato.ui.band import listed
from pyzzicato.ui.making import Tell
from pyzzicato.ui.pieces import Piece
from pyzzicato.ui.shell import clock

__all__ = ["MIME", "Kept", "about_link", "file_name", "manner", "needs", "title_of", "whole"]

_AT_ONCE = 2  # takes that are made at the same time

MIME = {
    "mid": "audio/midi",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "abc": "text/vnd.abc",
    "zip": "application/zip",
    "stems": "application/zip",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """One piece with all its takes; `shown` (from 0) is the one on the stage, None all at once."""

    piece: Piece
    takes: tuple[NoteSequence, ...]
    shown: int | None
    address: str
    """The link that makes the piece again."""
    texts: tuple[str, ...] = ()
    """The text of every take, where the model is one that writes text."""

    @property
    def written(self) -> NoteSequence:
        """What is new of the shown take, or of all of them layered."""
        return layered(self.takes) if self.shown is None else self.takes[self.shown]

    @property
    def music(self) -> NoteSequence:
        """What is on the stage, from its first note to its last."""
        return whole(self.piece, self.written)

    @property
    def text(self) -> str:
        """The text of the shown take; "" where there is none."""
        return self.texts[self.shown] if self.texts and self.shown is not None else ""

    def name(self, kind: str) -> str:
        """What the file of this kind is called."""
        if kind == "stems":
            return file_name(self.piece, self.shown, "zip").replace(".zip", "-stems.zip")
        return file_name(self.piece, "takes" if kind == "zip" else self.shown, kind)

    def file(self, kind: str, tell: Tell = lambda done, of: None) -> bytes:
        """The file of this `kind` of the shown take; "zip" is all of them, and "stems" a ZIP with
        every instrument of the shown one by itself. Tells how many takes are in the first."""
        return self._zip(tell) if kind == "zip" else self._file(kind)

    def _file(self, kind: str) -> bytes:
        if kind == "abc":
            return tune_book(self.text).encode()
        if kind == "stems":
            from pyzzicato.render.stems import stems_file

            return stems_file(self.music, file_name(self.piece, self.shown, "").rstrip("."))
        if kind == "mid":
            return write_midi(self.music, name=title_of(self.piece))
        if kind in ("png", "svg"):
            from pyzzicato.render.plotting import figure_file, roll_figure

            there, new = self.piece.parts(self.written)
            title, layers = title_of(self.piece), self.shown is None
            at, earlier = self.piece.border, self.piece.start.borders
            figure = roll_figure(there, new, title=title, border=at, layers=layers, earlier=earlier)
            return figure_file(figure, kind)
        from pyzzicato.render.audio import sound_file

        return sound_file(self.music, kind)

    def _zip(self, tell: Tell) -> bytes:
        """Every take as MIDI, MP3 and perhaps ABC, two of them at a time, and the settings."""
        takes = [replace(self, shown=take) for take in range(len(self.takes))]
        buffer = io.BytesIO()
        with (
            zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
            ThreadPoolExecutor(_AT_ONCE) as pool,
        ):
            tell(0, len(takes))
            for done, files in enumerate(pool.map(_all_of, takes), start=1):
                for name, data in files.items():
                    archive.writestr(name, data)
                tell(done, len(takes))
            archive.writestr("settings.txt", settings_text(self.piece, self.address))
        return buffer.getvalue()


def _all_of(take: Kept) -> dict[str, bytes]:
    kinds = ("mid", "mp3", "abc") if take.text else ("mid", "mp3")
    return {take.name(kind): take.file(kind) for kind in kinds}


def whole(piece: Piece, take: NoteSequence) -> NoteSequence:
    """The seed and what was written after it or inside it, as one piece."""
    there, new = piece.parts(take)
    return there.followed_by(new, piece.border)


def title_of(piece: Piece) -> str:
    """What the piece is called: after what, in whose style; or what of it is new."""
    words = piece.start.words(piece.composer)
    if piece.morph:
        return words[:1].upper() + words[1:]
    if piece.gap:
        words = words[:1].upper() + words[1:]
        return f"{words}, anew from {clock(piece.gap.start)} to {clock(piece.gap.stop)}"
    if piece.kept:
        words = words[:1].upper() + words[1:]
        return f"{words}, anew around its {listed(piece.kept)}"
    if not words:
        return f"From nothing, {manner(piece.style, piece.info)}"
    return f"After {words}, in the style of {piece.style}" if piece.style else f"After {words}"


def manner(style: str, info: ModelInfo) -> str:
    """How a piece from nothing is meant: in whose style, or else by which model."""
    return f"in the style of {style}" if style else f"by {info.title}"


def file_name(piece: Piece, take: int | str | None, kind: str) -> str:
    """A plain file name that says model, seed, style and number: another piece has another one.

    A take is counted from 0 here and from 1 there, None is all at once.
    """
    about = (
        piece.info.id,
        _seed_name(piece),
        "-".join(["keeping", *piece.kept]) if piece.kept else "",
        piece.composer,
        getattr(piece.controls, "composer_2", ""),
        str(piece.controls.rng_seed),
    )
    name = "-".join(["pyzzicato", *(slug(part) for part in about if part)])
    which = f"take-{take + 1}" if isinstance(take, int) else take or "layers"
    return f"{name}-{which}.{kind}"


def _seed_name(piece: Piece) -> str:
    """What a piece starts from, as a part of a file name; "" where that is nothing."""
    start = piece.start
    if start.id not in (links.UPLOAD, links.RESULT):
        return "" if start.id == links.NOTHING else start.id
    name = Path(start.title).stem if start.id == links.UPLOAD else start.title
    name = slug(name) or start.id
    if start.rounds:
        name += f"-continued-{start.rounds}"
    if piece.gap:
        name += f"-anew-{piece.gap.start:g}-{piece.gap.stop:g}"
    return name


def slug(text: str) -> str:
    """`text` as a part of a file name: small letters, figures and hyphens, at most 60."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")


def settings_text(piece: Piece, address: str) -> str:
    """All settings of a piece, a line each, and how it can be made again."""
    lines = [title_of(piece), "", f"Model: {piece.info.title} ({piece.info.id})"]
    lines += [
        f"{item.label} ({item.name}): {getattr(piece.controls, item.name)}"
        for item in declared(type(piece.controls))
    ]
    if piece.mixed:
        lines.append(f"Style of: {', '.join(each.name for each in piece.mixed)}")
    start = piece.start
    lines += [f"Takes: {piece.takes}", f"Seed: {start.id} {start.words()}".rstrip()]
    if start.id == links.UPLOAD:
        used, begins = start.music.duration, start.begins
        lines.append(f"Used of it: {used:.2f} seconds, from second {begins:.2f} of its music on")
    needed = needs(piece)
    again = [needed] if needed else ["The same again:", address]
    return "\n".join([*lines, "", *again, ""])


def needs(piece: Piece) -> str:
    """What the same again needs that no link holds, in one sentence; "" where a link is enough."""
    start = piece.start
    needed = []
    if start.id == links.UPLOAD:
        needed.append(f"your file {start.title}")
    elif piece.morph:
        needed.append(f"the two pieces of {start.words()}")
    elif start.id == links.RESULT:
        needed.append(f"the piece that it was made from, {start.words()}")
    elif piece.kept:
        needed.append(f"the {listed(piece.kept)} of {start.words()}, kept as they are")
    if piece.mixed:
        names = ", ".join(each.name for each in piece.mixed)
        needed.append(f"your music whose style is mixed in, {names}")
    return f"The same again needs {' and '.join(needed)}." if needed else ""


def about_link(piece: Piece) -> str:
    """What a link to a piece gives to whoever opens it."""
    needed = needs(piece)
    if needed:
        return f"This opens the app with these settings, but without that music. {needed}"
    return "Who opens this and presses Compose gets the same music, note for note."
