"""The built-in seeds: openings of public-domain pieces, written out for Pyzzicato in ABC.

Each lies in `seeds/<composer id>/<seed id>.abc`. Beside the usual fields, `N:opus` names the
work and `N:reference` the recording in the training music that the notes were checked against.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pyzzicato.abc_notation import read_abc
from pyzzicato.composers import COMPOSERS, Composer
from pyzzicato.errors import UnknownName, UnreadableMusic
from pyzzicato.notes import NoteSequence

__all__ = ["Seed", "all_seeds", "find_seed", "read_seed", "seeds_by"]


@dataclass(frozen=True, slots=True)
class Seed:
    """One built-in seed: `id` (its file's name), composer, title, opus, and the ABC text."""

    id: str
    composer: Composer
    title: str
    opus: str
    text: str

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


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}:(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _remark(text: str, word: str) -> str:
    return _field(text, rf"N:\s*{word}")


def read_seed(seed_id: str, composer: Composer, text: str) -> Seed:
    """A seed from its ABC text; raises UnreadableMusic where title or opus is missing."""
    title, opus = _field(text, "T"), _remark(text, "opus").removeprefix(":").strip()
    if not title or not opus:
        raise UnreadableMusic(f"The seed {seed_id} needs a T: line and an N:opus line.")
    return Seed(seed_id, composer, title, opus, text)


@cache
def all_seeds() -> tuple[Seed, ...]:
    """Every built-in seed, in the order of the composers, then by id."""
    folder = files("pyzzicato") / "seeds"
    seeds: list[Seed] = []
    for composer in COMPOSERS:
        own = folder / composer.id
        if not own.is_dir():
            continue
        for file in sorted(own.iterdir(), key=lambda f: f.name):
            if file.name.endswith(".abc"):
                text = file.read_text(encoding="utf-8")
                seeds.append(read_seed(file.name.removesuffix(".abc"), composer, text))
    return tuple(seeds)


def seeds_by(composer_id: str) -> tuple[Seed, ...]:
    """The built-in seeds of one composer; empty where there are none."""
    return tuple(seed for seed in all_seeds() if seed.composer.id == composer_id)


def find_seed(seed_id: str) -> Seed:
    """The built-in seed called `seed_id`; raises UnknownName where there is none."""
    for seed in all_seeds():
        if seed.id == seed_id:
            return seed
    raise UnknownName(f"No built-in seed is called “{seed_id[:60]}”; choose one from the library.")
