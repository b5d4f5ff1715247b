"""The built-in seeds: openings of public-domain pieces, written out for Pyzzicato in ABC.

Each lies in `seeds/<composer id>/<seed id>.abc`. Beside the usual fields, `N:opus` names the
work and `N:reference` the recording in the training music that the notes were checked against.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pyzzicato.errors import UnknownName, UnreadableMusic
from pyzzicato.formats.abc.notation import read_abc
from pyzzicato.music.composers import COMPOSERS, Composer
from pyzzicato.music.notes import NoteSequence

__all__ = ["Seed", "all_seeds", "find_seed", "read_seed", "seed_files", "seeds_by"]


@dataclass(frozen=True, slots=True)
class Seed:
    """One built-in seed: `id` (its file's name), composer, title, opus, and the ABC text."""

    id: str
    composer: Composer
    title: str
    opus: str
    text: str

    @property
    def name(self) -> str:
        """Title and opus: no two seeds of one composer have the same."""
        return f"{self.title}, {self.opus}"

    @property
    def reference(self) -> str:
        """The path, inside the training music, of the recording it was checked against."""
        return _remark(self.text, "reference")

    def sequence(self) -> NoteSequence:
        """The music, 8 to 20 seconds of it."""
        return _sequence(self.text)


@cache
def _sequence(text: str) -> NoteSequence:
    return read_abc(text)


def _line(text: str, start: str) -> str:
    found = re.search(rf"^{start}(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _remark(text: str, word: str) -> str:
    return _line(text, rf"N:[ \t]*{word}\b")


def read_seed(seed_id: str, composer: Composer, text: str) -> Seed:
    """A seed from its ABC text; raises UnreadableMusic where title or opus is missing."""
    title, opus = _line(text, "T:"), _remark(text, "opus")
    if not title or not opus:
        raise UnreadableMusic(f"The seed {seed_id} needs a T: line and an N:opus line.")
    return Seed(seed_id, composer, title, opus, text)


def seed_files() -> Iterator[tuple[str, Composer, str]]:
    """Id, composer and text of every seed file, in the order of the composers, then by id."""
    folder = files("pyzzicato") / "seeds"
    for composer in COMPOSERS:
        own = folder / composer.id
        if not own.is_dir():
            continue
        for file in sorted(own.iterdir(), key=lambda f: f.name):
            if file.name.endswith(".abc"):
                text = file.read_text(encoding="utf-8")
                yield file.name.removesuffix(".abc"), composer, text


@cache
def all_seeds() -> tuple[Seed, ...]:
    """Every built-in seed, in the order of the composers, then by id."""
    return tuple(read_seed(*found) for found in seed_files())


def seeds_by(composer_id: str) -> tuple[Seed, ...]:
    """The built-in seeds of one composer; empty where there are none."""
    return tuple(seed for seed in all_seeds() if seed.composer.id == composer_id)


def find_seed(seed_id: str) -> Seed:
    """The built-in seed called `seed_id`; raises UnknownName where there is none."""
    for seed in all_seeds():
        if seed.id == seed_id:
            return seed
    raise UnknownName(f"No built-in seed is called “{seed_id[:60]}”; choose one from the library.")
