"""What a voice of ABC music is made of: sounds in bars, with lengths in whole notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

__all__ = ["Bar", "Ornament", "Sound", "Spelling"]

_ZERO = Fraction(0)


class Ornament(NamedTuple):
    """A "trill" or a "roll", the pitches beside its note, and the unit length where it stands."""

    kind: str
    above: int
    below: int
    unit: Fraction


@dataclass(slots=True)
class Sound:
    """One sounding note of a bar: where it starts in the bar, how long, how high, how loud.

    It sounds for `share` of its duration.
    """

    offset: Fraction
    duration: Fraction
    pitch: int
    velocity: int
    tied: bool = False
    share: Fraction = Fraction(1)
    ornament: Ornament | None = None


@dataclass(slots=True)
class Bar:
    """What stands between two bar lines, and the repeat signs at its two ends."""

    sounds: list[Sound] = field(default_factory=list)
    tempi: list[tuple[Fraction, float]] = field(default_factory=list)
    length: Fraction = _ZERO
    repeat_start: bool = False
    after_double: bool = False
    endings: frozenset[int] = frozenset()
    part: str = ""
    times: int = 1  # how often the stretch that ends with this bar is played

    @property
    def empty(self) -> bool:
        """Whether nothing at all stands in the bar."""
        return not (self.length or self.sounds or self.tempi)


@dataclass(frozen=True, slots=True)
class Spelling:
    """A note as it is written: letter A-G, octave (4 holds middle C), accidental or None."""

    letter: str
    octave: int
    accidental: int | None
    length: Fraction = Fraction(1)
    tied: bool = False
