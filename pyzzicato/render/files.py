"""Music to files, by the file's ending: MIDI, sound or a picture. A file is whole or not there.

save(Path("out.mp3"), seed, continuation)
"""

from __future__ import annotations

import errno
from pathlib import Path

from pyzzicato.errors import SavingFailed, UnknownName
from pyzzicato.music.notes import NoteSequence
from pyzzicato.runtime.files import replacing

__all__ = ["ENDINGS", "check_target", "save", "write_whole"]

_MIDI = (".mid", ".midi")
_SOUND = (".wav", ".flac", ".mp3", ".ogg")
_PICTURE = (".png", ".svg")
_TEXT = (".abc",)
ENDINGS = (*_MIDI, *_SOUND, *_PICTURE, *_TEXT)
"""What a file's name may end in."""


def check_target(path: Path) -> Path:
    """`path` itself; raises UnknownName on another ending, SavingFailed without its folder."""
    if path.suffix.lower() not in ENDINGS:
        raise UnknownName(
            f"{path.name} does not say what to save: end its name in {', '.join(ENDINGS)}."
        )
    if not path.parent.is_dir():
        raise SavingFailed(f"There is no folder {path.parent}: make it, or choose another.")
    return path


def save(
    path: Path,
    seed: NoteSequence,
    continuation: NoteSequence,
    *,
    border: float | None = None,
    title: str = "",
    renderer: str = "auto",
    text: str = "",
) -> Path:
    """Saves `seed` followed by `continuation` and returns `path`.

    The continuation's own times start at 0: it begins at `border` seconds, which is the end of
    the seed unless told. `renderer` is of use for sound only (see `pyzzicato.render.audio.render`),
    `text` for .abc only: its tunes are saved (see `pyzzicato.formats.abc.tune_book`).
    Raises UnknownName on an unknown ending, SavingFailed where the file cannot be written or
    there is no text, RenderingFailed where there is no sound.
    """
    ending = check_target(path).suffix.lower()
    if ending in _TEXT:
        if not text:
            raise SavingFailed(
                f"{path.name} was not saved: only what a model wrote as ABC text can be, so end "
                "the name in .mid."
            )
        from pyzzicato.formats.abc.tune_book import tune_book

        return write_whole(path, tune_book(text).encode())
    if ending in _PICTURE:
        from pyzzicato.render.plotting import figure_file, roll_figure

        figure = roll_figure(seed, continuation, title=title, border=border)
        return write_whole(path, figure_file(figure, ending))
    music = seed.followed_by(continuation, border)
    if ending in _SOUND:
        from pyzzicato.render.audio import sound_file

        return write_whole(path, sound_file(music, ending, renderer))
    from pyzzicato.formats.midi import write_midi

    return write_whole(path, write_midi(music, name=title))


def write_whole(path: Path, data: bytes) -> Path:
    """Writes a file beside its place and moves it there, so that half of one is never left.

    Raises SavingFailed, with the file that was there before untouched.
    """
    try:
        with replacing(path) as beside:
            beside.write_bytes(data)
    except OSError as error:
        raise SavingFailed(_sentence(path, error)) from error
    return path


def _sentence(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{path} was not saved, the disk is full: make room, then save again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} was not saved, its folder may not be written to: choose another folder."
    if error.errno == errno.EISDIR:
        return f"{path} is a folder: choose another name."
    return f"{path} was not saved ({error.strerror or error}): choose another folder or name."
