"""How the notes of an ABC voice are played: dynamics, accents, staccato, hairpins, ornaments."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from pyzzicato.formats.abc.bars import Sound

__all__ = ["SYMBOLS", "Touch"]

SYMBOLS = {".": "staccato", "~": "roll", "L": "accent", "T": "trill"}
"""The letters that stand for a decoration that is heard, until a U: field says otherwise."""

_VELOCITIES = {"pppp": 20, "ppp": 30, "pp": 45, "p": 60, "mp": 75, "mf": 90}
_VELOCITIES |= {"f": 105, "ff": 120, "fff": 127, "ffff": 127}
_ACCENTS = {"accent", ">", "emphasis", "marcato", "^", "sfz", "sf", "sforzando", "fz", "rfz"}
_SHARES = {"staccato": Fraction(1, 2), "wedge": Fraction(1, 4)}
_ORNAMENTS = {"trill": "trill", "tr": "trill", "roll": "roll"}
_HAIRPINS = {"crescendo(": 1, "<(": 1, "diminuendo(": -1, ">(": -1}
_HAIRPIN_ENDS = {"crescendo)", "<)", "diminuendo)", ">)"}
_ACCENT = 20  # how much louder an accented note is
_STEP = 15  # from one dynamic sign to the next, and so what a hairpin does


@dataclass(slots=True)
class Touch:
    """What the decorations of a voice have said so far, and what they mean for the next note."""

    velocity: int = 80
    ornament: str = ""
    _accented: bool = False
    _share: Fraction = Fraction(1)
    _hairpin: int = 0
    _under_hairpin: list[Sound] = field(default_factory=list)

    def decorate(self, name: str) -> None:
        """A decoration such as "staccato" or "mf"; one that is not heard changes nothing."""
        if name in _VELOCITIES:
            self.velocity = _VELOCITIES[name]
        elif name in _SHARES:
            self._share = _SHARES[name]
        elif name in _ORNAMENTS:
            self.ornament = _ORNAMENTS[name]
        elif name in _HAIRPINS:
            self._hairpin, self._under_hairpin = _HAIRPINS[name], []
        elif name in _HAIRPIN_ENDS:
            self._end_hairpin()
        elif name in _ACCENTS:
            self._accented = True

    def play(self, sounds: list[Sound], graces: list[Sound]) -> None:
        """Give a note or chord, and the grace notes before it, what waits for the next note."""
        for sound in graces:
            sound.velocity = self.velocity
        for sound in sounds:
            sound.velocity = min(127, self.velocity + (_ACCENT if self._accented else 0))
            sound.share = self._share
        if self._hairpin:
            self._under_hairpin += sounds
        self.forget()

    def forget(self) -> None:
        """A bar line or a rest: nothing waits for the next note any more."""
        self.ornament, self._accented, self._share = "", False, Fraction(1)

    def _end_hairpin(self) -> None:
        change, sounds = self._hairpin * _STEP, self._under_hairpin
        onsets = len(sounds)
        for place, sound in enumerate(sounds, start=1):
            sound.velocity = _bounded(sound.velocity + round(change * place / onsets))
        self.velocity = _bounded(self.velocity + change)
        self._hairpin, self._under_hairpin = 0, []


def _bounded(velocity: int) -> int:
    return max(20, min(127, velocity))
