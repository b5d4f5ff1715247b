"""Locking instruments of a seed: keep some, make the rest anew.

With `keep` other than "none", the new music
does not follow the seed but takes its place: its time 0 is where the seed begins, and its notes
hold all five instruments, the kept ones as they stand in the seed. So whoever shows or saves it
puts it *instead of* the seed: where `asked_keep(controls)` is true, the seed beside the new music
is empty and the border lies at 0 seconds; a usual length is the seed's own. A result is made anew
in the same way, as the seed of the next run.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from pyzzicato.generation.controls import Controls, declared
from pyzzicato.music.instruments import INSTRUMENTS

__all__ = [
    "KEEPS",
    "KEEP_NOTHING",
    "asked_keep",
    "keep_word",
    "kept_instruments",
    "plays_band",
]

KEEP_NOTHING = "none"


def keep_word(names: tuple[str, ...]) -> str:
    """The value of `keep` for some instruments, such as "Piano+Bass"; "none" for no names."""
    return "+".join(name for name in INSTRUMENTS if name in names) or KEEP_NOTHING


KEEPS = tuple(
    keep_word(names)
    for count in range(len(INSTRUMENTS))
    for names in combinations(INSTRUMENTS, count)
)
"""Every value of `keep`: any instruments but all five, which would leave nothing to make."""


def asked_keep(controls: Any) -> bool:
    """Whether `controls`, of any family, ask for music that takes the seed's place."""
    return getattr(controls, "keep", KEEP_NOTHING) != KEEP_NOTHING


def kept_instruments(controls: Any) -> tuple[int, ...]:
    """The places of the kept instruments in INSTRUMENTS; none where nothing is kept."""
    names = controls.keep.split("+") if asked_keep(controls) else []
    return tuple(INSTRUMENTS.index(name) for name in names)


def plays_band(controls: type[Controls]) -> bool:
    """Whether a model with such controls plays drums, piano, guitar, bass and strings."""
    return any(item.name == "keep" for item in declared(controls))
