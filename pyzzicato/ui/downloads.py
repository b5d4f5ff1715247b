"""What a person can keep of a piece: files that are made only when their button is pressed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from pyzzicato.controls import declared
from pyzzicato.layering import layered
from pyzzicato.midi import write_midi
from pyzzicato.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.ui.band import listed
from pyzzicato.ui.pieces import Piece
from pyzzicato.ui.shell import clock

__all__ = ["Kept", "file_name", "manner", "settings_text", "title_of", "whole"]

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

    def maker(self, kind: str) -> Callable[[], bytes]:
        """Makes the file of this `kind` of the shown take; "zip" is all of them, and "stems" a ZIP
        with every instrument of the shown one by itself."""
        if kind == "zip":
            return self._zip
        return lambda: self._file(kind, self.shown)

    def name(self, kind: str) -> str:
        """What the file of this kind is called."""
        if kind == "stems":
            return file_name(self.piece, self.shown, "zip").replace(".zip", "-stems.zip")
        return file_name(self.piece, "takes" if kind == "zip" else self.shown, kind)

    def _file(self, kind: str, take: int | None) -> bytes:
        if kind == "abc":
            return self.texts[take or 0].encode()
        written = layered(self.takes) if take is None else self.takes[take]
        music = whole(self.piece, written)
        if kind == "stems":
            from pyzzicato.band_parts import stems_file

            return stems_file(music, file_name(self.piece, take, "").rstrip("."))
        if kind == "mid":
            return write_midi(music, name=title_of(self.piece))
        if kind in ("png", "svg"):
            from pyzzicato.plotting import figure_file, roll_figure

            there, new = self.piece.parts(written)
            title = title_of(self.piece)
            figure = roll_figure(
                there, new, title=title, border=self.piece.border, layers=take is None
            )
            return figure_file(figure, kind)
        from pyzzicato.audio import sound_file

        return sound_file(music, kind)

    def _zip(self) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for take in range(len(self.takes)):
                for kind in ("mid", "mp3", "abc") if any(self.texts) else ("mid", "mp3"):
                    archive.writestr(file_name(self.piece, take, kind), self._file(kind, take))
            archive.writestr("settings.txt", settings_text(self.piece, self.address))
        return buffer.getvalue()


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
    """A plain file name; a take is counted from 0 here and from 1 there, None is all at once."""
    second = getattr(piece.controls, "composer_2", "")
    about = (piece.composer or piece.info.id, second, str(piece.controls.rng_seed))
    name = "-".join(["pyzzicato", *(part for part in about if part)])
    which = f"take-{take + 1}" if isinstance(take, int) else take or "layers"
    return f"{name}-{which}.{kind}"


def settings_text(piece: Piece, address: str) -> str:
    """All settings of a piece, a line each, so that it can be made again."""
    lines = [title_of(piece), "", f"Model: {piece.info.title} ({piece.info.id})"]
    lines += [
        f"{item.label} ({item.name}): {getattr(piece.controls, item.name)}"
        for item in declared(type(piece.controls))
    ]
    if piece.mixed:
        lines.append(f"Style of: {', '.join(each.name for each in piece.mixed)}")
    lines += [f"Takes: {piece.takes}", f"Seed: {piece.start.id} {piece.start.words()}".rstrip()]
    return "\n".join([*lines, "", "The same again:", address, ""])
