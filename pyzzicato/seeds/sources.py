"""Music by name: a built-in seed, a file, notes, or the style of any of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pyzzicato.errors import InvalidControl, UnknownName, UnreadableMusic
from pyzzicato.formats.midi import Reading, music_reading, piano_part
from pyzzicato.generation.controls import Control
from pyzzicato.music.limits import MAX_BYTES, check_music
from pyzzicato.music.notes import NoteSequence
from pyzzicato.music.silence import without_silence
from pyzzicato.seeds.band import band_seed
from pyzzicato.seeds.library import Seed, all_seeds, seeds_by

__all__ = [
    "MOST_STYLES",
    "NOTHING",
    "OWN_MUSIC",
    "SeedLike",
    "SeedMusic",
    "StyleSources",
    "built_in",
    "find_music",
    "for_model",
    "seed_music",
    "style_sources",
]

NOTHING = "none"
"""The name of the seed that is no music at all."""
OWN_MUSIC = "your own music"
"""How notes without a name are called."""
USUAL_COMPOSER = "chopin"
"""Whose opening is taken where a model knows no composers and no seed is given."""
MOST_STYLES = 8
"""How many styles are mixed at once at most."""
_SEED_STYLE = "seed"
_WITH_TUNE = re.compile(r"(.+)#(-?\d{1,6})", re.DOTALL)


@dataclass(frozen=True)
class StyleSources:
    """Styles to mix in: `chosen` is for the model's control, `beside` are all others.

    `beside` are names of styles that come with the model, and music as a band plays it; `names`
    are what all were called, in order. `said` are sentences for the person on what was mended in
    their files and left out.
    """

    chosen: str = NOTHING
    beside: tuple[str | NoteSequence, ...] = ()
    names: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


class SeedMusic(NamedTuple):
    """Music to start from, its name, and its composer's id, "" where that is not known.

    `said` are sentences for the person: what was mended in the file, and what was left out.
    """

    music: NoteSequence = NoteSequence()
    name: str = NOTHING
    composer: str = ""
    said: tuple[str, ...] = ()


SeedLike = str | Path | NoteSequence | SeedMusic | None


def seed_music(seed: SeedLike, style: str, band: bool, whole: bool = False) -> SeedMusic:
    """What `seed` is; without one it is the first opening of the composer `style`.

    All of it is for the piano, unless it is for a `band`. The silence before a file or notes is
    left out, unless the `whole` is wanted because times in it count. A SeedMusic is as it is.
    """
    if isinstance(seed, SeedMusic):
        return seed
    if isinstance(seed, NoteSequence):
        if not seed.notes:
            return SeedMusic(seed)
        music, said = for_model(check_music(seed), band, whole=whole)
        return SeedMusic(music, OWN_MUSIC, said=said)
    if seed is None:
        found = next(iter(seeds_by(style or USUAL_COMPOSER)), None)
    elif seed == NOTHING:
        found = None
    else:
        found = built_in(str(seed))
        if found is None:
            (read, mended), name, data = _read_file(seed)
            music, said = for_model(read, band, data, whole=whole)
            return SeedMusic(music, name, said=(*mended, *said))
    if found is None:
        return SeedMusic()
    return SeedMusic(found.sequence(), found.id, found.composer.id)


def for_model(
    music: NoteSequence, band: bool, data: bytes = b"", *, whole: bool = False
) -> tuple[NoteSequence, tuple[str, ...]]:
    """`music` as a model for a `band`, or for the piano, takes it, and what is to be said of that.

    It begins with its first note, for a band with the bar of that, unless the `whole` is wanted.
    `data` are the bytes of its file. Raises UnreadableMusic where nothing is left.
    """
    if band:
        return band_seed(music, data)
    part = piano_part(music)
    return (part, ()) if whole else without_silence(part)


def style_sources(styles: Sequence[str | Path | NoteSequence], control: Control) -> StyleSources:
    """What `styles` are: names that `control` has as choices, built-in seeds, files, notes.

    The first of the model's own styles is `chosen`, where no other is; "none" among others is
    nothing. Raises InvalidControl on more than 8, UnknownName and UnreadableMusic on what is no
    style and no music.
    """
    own = {name.lower(): name for name in control.choices}
    chosen, beside, names = NOTHING, list[str | NoteSequence](), list[str]()
    said: list[str] = []
    for style in styles:
        known = own.get(style.strip().lower(), "") if isinstance(style, str) else ""
        if known == NOTHING:
            continue
        if len(names) == MOST_STYLES:
            raise InvalidControl(f"More than {MOST_STYLES} styles cannot be mixed: choose fewer.")
        music: str | NoteSequence = known
        name = known
        if not known:
            music, name, _, told = _style_music(style, control)
            said += (f"{name}: {sentence}" for sentence in told)
        names.append(name)
        if known and (chosen == NOTHING or known == _SEED_STYLE):
            # The seed can only be told to the control: what came before it stands beside.
            beside += [chosen] if chosen not in (NOTHING, _SEED_STYLE) else []
            chosen = known
        else:
            beside.append(music)
    return StyleSources(chosen, tuple(beside), tuple(names), tuple(said))


def _style_music(style: str | Path | NoteSequence, control: Control) -> SeedMusic:
    if not isinstance(style, NoteSequence) and built_in(str(style)) is None:
        path, _ = _path_and_tune(style)
        if not _is_there(path):
            raise UnknownName(
                f"No style, no built-in seed and no file is called “{str(style)[:100]}”: the "
                f"styles are {', '.join(control.choices)}."
            )
    found = seed_music(style, "", band=True)
    if not found.music:
        raise UnreadableMusic("There are no notes in one of the styles: choose other music.")
    return found


def find_music(text: str | Path) -> tuple[Reading, str]:
    """The music that is called `text`, a built-in seed or a MIDI or ABC file, and its name.

    "tunes.abc#3" is the third tune of an ABC file; without a number it is the first with notes.

    Raises UnknownName where there is neither, UnreadableMusic where the file holds no music.
    """
    found = built_in(str(text))
    if found is not None:
        return Reading(found.sequence()), found.title
    reading, name, _ = _read_file(text)
    return reading, name


def built_in(name: str) -> Seed | None:
    """The built-in seed with the id `name`, if there is one."""
    return next((seed for seed in all_seeds() if seed.id == name), None)


def _read_file(name: str | Path) -> tuple[Reading, str, bytes]:
    """A MIDI or ABC file: what was read, its name without folder, and its bytes."""
    path, tune = _path_and_tune(name)
    data = _file_bytes(path)
    return music_reading(data, path.name, tune), path.name, data


def _path_and_tune(name: str | Path) -> tuple[Path, int | None]:
    """ "tunes.abc#3" is the third tune of "tunes.abc", unless there is a file of that name."""
    found = _WITH_TUNE.fullmatch(str(name))
    if found is None or _is_there(Path(name)):
        return Path(name), None
    return Path(found[1]), int(found[2])


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _file_bytes(path: Path) -> bytes:
    """What is in a MIDI or ABC file, a byte more than allowed at most.

    Raises UnknownName where there is none, UnreadableMusic where it cannot be opened.
    """
    try:
        if not path.is_file():
            raise UnknownName(
                f"No built-in seed and no file is called “{str(path)[:100]}”: "
                "`pyzzicato seeds` names the built-in ones."
            )
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableMusic(f"{path} cannot be opened ({reason}): choose another.") from None
