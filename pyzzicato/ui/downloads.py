"""What a person can keep of a piece: files that are made only when their button is pressed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from pyzzicato.controls import declared
from pyzzicato.midi import write_midi
from pyzzicato.notes import NoteSequence
from pyzzicato.ui.state import Piece

__all__ = ["Kept", "file_name", "settings_text", "title_of", "whole"]

MIME = {
    "mid": "audio/midi",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """One piece with all its takes, `shown` (from 0) being the one on the stage."""

    piece: Piece
    takes: tuple[NoteSequence, ...]
    shown: int
    address: str
    """The link that makes the piece again."""

    def maker(self, kind: str) -> Callable[[], bytes]:
        """Makes the file of this `kind` (a key of `MIME`) of the shown take, or the ZIP of all."""
        if kind == "zip":
            return self._zip
        return lambda: self._file(kind, self.shown)

    def name(self, kind: str) -> str:
        """What the file of this kind is called."""
        return file_name(self.piece, None if kind == "zip" else self.shown, kind)

    def _file(self, kind: str, take: int) -> bytes:
        music = whole(self.piece, self.takes[take])
        if kind == "mid":
            return write_midi(music, name=title_of(self.piece))
        if kind in ("png", "svg"):
            from pyzzicato.plotting import figure_file, roll_figure

            figure = roll_figure(
                self.piece.start.music, self.takes[take], title=title_of(self.piece)
            )
            return figure_file(figure, kind)
        from pyzzicato.audio import sound_file

        return sound_file(music, kind)

    def _zip(self) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for take in range(len(self.takes)):
                for kind in ("mid", "mp3"):
                    archive.writestr(file_name(self.piece, take, kind), self._file(kind, take))
            archive.writestr("settings.txt", settings_text(self.piece, self.address))
        return buffer.getvalue()


def whole(piece: Piece, take: NoteSequence) -> NoteSequence:
    """The seed and what was written after it, as one piece."""
    return piece.start.music.followed_by(take, piece.border)


def title_of(piece: Piece) -> str:
    """What the piece is called: after what, in whose style."""
    style = piece.style.short
    if not piece.start.title:
        return f"From nothing, in the style of {style}"
    return f"After {piece.start.words(piece.style.id)}, in the style of {style}"


def file_name(piece: Piece, take: int | None, kind: str) -> str:
    """A plain file name; a take is counted from 1, None is all of them."""
    name = f"pyzzicato-{piece.controls.composer}-{piece.controls.rng_seed}"
    which = "takes" if take is None else f"take-{take + 1}"
    return f"{name}-{which}.{kind}"


def settings_text(piece: Piece, address: str) -> str:
    """All settings of a piece, a line each, so that it can be made again."""
    lines = [title_of(piece), "", f"Model: {piece.info.title} ({piece.info.id})"]
    lines += [
        f"{item.label} ({item.name}): {getattr(piece.controls, item.name)}"
        for item in declared(type(piece.controls))
    ]
    lines += [f"Takes: {piece.takes}", f"Seed: {piece.start.id} {piece.start.words()}".rstrip()]
    return "\n".join([*lines, "", "The same again:", address, ""])
