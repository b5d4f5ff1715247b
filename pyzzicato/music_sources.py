"""Music by name: a built-in seed, a file, notes, or the style of any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyzzicato.band_seeds import band_seed
from pyzzicato.controls import Control
from pyzzicato.errors import InvalidControl, UnknownName, UnreadableMusic
from pyzzicato.limits import MAX_BYTES, check_music
from pyzzicato.midi import piano_part, read_music
from pyzzicato.notes import NoteSequence
from pyzzicato.seeds import Seed, all_seeds, seeds_by

__all__ = [
    "MOST_STYLES",
    "NOTHING",
    "OWN_MUSIC",
    "SeedLike",
    "StyleSources",
    "built_in",
    "find_music",
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

SeedLike = str | Path | NoteSequence | None


@dataclass(frozen=True)
class StyleSources:
    """Styles to mix in: `chosen` is for the model's control, `beside` are all others.

    `beside` are names of styles that come with the model, and music as a band plays it; `names`
    are what all were called, in order.
    """

    chosen: str = NOTHING
    beside: tuple[str | NoteSequence, ...] = ()
    names: tuple[str, ...] = ()


def seed_music(seed: SeedLike, style: str, band: bool) -> tuple[NoteSequence, str, str]:
    """The music, its name and its composer's id, which is empty where that is not known.

    All of it is for the piano, unless it is for a `band`. Without a `seed` it is the first
    opening of the composer `style`.
    """
    if isinstance(seed, NoteSequence):
        if not seed.notes:
            return seed, NOTHING, ""
        checked = check_music(seed)
        music = band_seed(checked)[0] if band else piano_part(checked)
        return music, OWN_MUSIC, ""
    if seed is None:
        found = next(iter(seeds_by(style or USUAL_COMPOSER)), None)
    elif seed == NOTHING:
        found = None
    else:
        found = built_in(str(seed))
        if found is None:
            path = Path(seed)
            data = _file_bytes(path)
            music = read_music(data, path.name)
            return (band_seed(music, data)[0] if band else piano_part(music)), path.name, ""
    if found is None:
        return NoteSequence(), NOTHING, ""
    return found.sequence(), found.id, found.composer.id


def style_sources(styles: Sequence[str | Path | NoteSequence], control: Control) -> StyleSources:
    """What `styles` are: names that `control` has as choices, built-in seeds, files, notes.

    The first of the model's own styles is `chosen`, where no other is; "none" among others is
    nothing. Raises InvalidControl on more than 8, UnknownName and UnreadableMusic on what is no
    style and no music.
    """
    own = {name.lower(): name for name in control.choices}
    chosen, beside, names = NOTHING, list[str | NoteSequence](), list[str]()
    for style in styles:
        known = own.get(style.strip().lower(), "") if isinstance(style, str) else ""
        if known == NOTHING:
            continue
        if len(names) == MOST_STYLES:
            raise InvalidControl(f"More than {MOST_STYLES} styles cannot be mixed: choose fewer.")
        music, name = (known, known) if known else _style_music(style, control)
        names.append(name)
        if known and (chosen == NOTHING or known == _SEED_STYLE):
            # The seed can only be told to the control: what came before it stands beside.
            beside += [chosen] if chosen not in (NOTHING, _SEED_STYLE) else []
            chosen = known
        else:
            beside.append(music)
    return StyleSources(chosen, tuple(beside), tuple(names))


def _style_music(style: str | Path | NoteSequence, control: Control) -> tuple[NoteSequence, str]:
    if not isinstance(style, NoteSequence) and built_in(str(style)) is None:
        try:
            there = Path(style).is_file()
        except (OSError, ValueError):
            there = False
        if not there:
            raise UnknownName(
                f"No style, no built-in seed and no file is called “{str(style)[:100]}”: the "
                f"styles are {', '.join(control.choices)}."
            )
    music, name, _ = seed_music(style, "", band=True)
    if not music:
        raise UnreadableMusic("There are no notes in one of the styles: choose other music.")
    return music, name


def find_music(text: str | Path) -> tuple[NoteSequence, str]:
    """The music that is called `text`, a built-in seed or a MIDI or ABC file, and its name.

    Raises UnknownName where there is neither, UnreadableMusic where the file holds no music.
    """
    found = built_in(str(text))
    if found is not None:
        return found.sequence(), found.title
    path = Path(text)
    return read_music(_file_bytes(path), path.name), path.name


def built_in(name: str) -> Seed | None:
    """The built-in seed with the id `name`, if there is one."""
    return next((seed for seed in all_seeds() if seed.id == name), None)


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
