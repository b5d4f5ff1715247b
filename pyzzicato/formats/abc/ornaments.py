"""Trills and rolls, played as abc2midi plays them; the standard leaves it open."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from pyzzicato.formats.abc.bars import Sound

__all__ = ["played"]

_TRILL = 0.1  # seconds that a note of a trill lasts at most
_MOST_TRILLED = 256


def played(sound: Sound, qpm: float) -> list[Sound]:
    """The sounds of a note with its ornament, at `qpm` quarter notes a minute; others unchanged."""
    ornament = sound.ornament
    if ornament is None:
        return [sound]
    unit, above, below = ornament.unit, ornament.above, ornament.below
    pairs: list[tuple[int, Fraction]] = []
    if ornament.kind == "trill":
        length = _trilled(sound.duration, qpm)
        count = min(int(sound.duration / length), _MOST_TRILLED)
        pairs = [(above if n % 2 == 0 else sound.pitch, length) for n in range(count)]
        pairs = pairs if count > 1 else []
    elif sound.duration == 3 * unit:  # the roll of a jig
        short, rest = unit / 4, unit * 3 / 4
        pairs = [(sound.pitch, unit), (above, short), (sound.pitch, rest), (below, short)]
    elif sound.duration > unit / 4:
        pairs = [(above, unit / 4)]
    sounds, start = [], sound.offset
    for pitch, length in pairs:
        sounds.append(Sound(start, length, pitch, sound.velocity))
        start += length
    left = sound.duration - (start - sound.offset)
    if left:
        sounds.append(replace(sound, offset=start, duration=left, ornament=None))
    return sounds


def _trilled(duration: Fraction, qpm: float) -> Fraction:
    """How long each note of a trill is: halves of halves that divide `duration`, up to 0.1 s."""
    length = Fraction(duration.numerator & -duration.numerator, duration.denominator)
    while float(length) * 240 / qpm > _TRILL + 1e-9:
        length /= 2
    return length
