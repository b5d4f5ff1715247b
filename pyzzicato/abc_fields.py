"""The fields of ABC music: keys, metres, unit lengths and tempi, from text to numbers.

Lengths are fractions of a whole note. Every function raises UnreadableMusic with one plain
sentence where the text of a field makes no sense.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from pyzzicato.errors import UnreadableMusic

__all__ = [
    "ACCIDENTALS",
    "Key",
    "Meter",
    "Staff",
    "read_key",
    "read_length",
    "read_meter",
    "read_parts",
    "read_staff",
    "read_tempo",
    "read_unit",
]

_TONICS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
_MODES = {"ion": 0, "maj": 0, "": 0, "mix": -1, "dor": -2, "aeo": -3, "min": -3, "m": -3}
_MODES |= {"phr": -4, "loc": -5, "lyd": 1}
_SHARPS = "FCGDAEB"
ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
_KEY = re.compile(r"([A-G])([#b]?)\s*([A-Za-z]*)")
_CLEF = r"(?:treble|bass|tenor|alto|soprano|mezzosoprano|baritone|perc)\d?(?:([-+^_])8)?"
_BARE_CLEF = re.compile(rf"(?:^|\s){_CLEF}(?=\s|$)")
_SETTING = re.compile(r"""(?:^|\s)([a-z]\w*)=("[^"]*"|[^\s"]+)""")
_MAX_DIGITS = 4
_MAX_DENOMINATOR = 256  # keeps exact sums of many lengths short, and so quick
_MAX_SLASHES = 8
_MAX_PARTS = 200


@dataclass(frozen=True, slots=True)
class Key:
    """A key signature: semitones up or down (-2 to 2) for each altered letter A to G."""

    alterations: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meter:
    """A metre: the length of a bar in whole notes (None when free), and whether compound."""

    bar: Fraction | None = None
    compound: bool = False

    @property
    def default_unit(self) -> Fraction:
        """The unit length where no L: field gives one: 1/16 below 3/4, otherwise 1/8."""
        short = self.bar is not None and self.bar < Fraction(3, 4)
        return Fraction(1, 16) if short else Fraction(1, 8)


@dataclass(frozen=True, slots=True)
class Staff:
    """What a clef or octave or transpose setting adds to every pitch, in semitones."""

    semitones: int = 0


def _number(digits: str) -> int:
    if len(digits) > _MAX_DIGITS or int(digits) == 0:
        raise UnreadableMusic(f"“{digits[:20]}” is no length a note can have.")
    return int(digits)


def _denominator(digits: str) -> int:
    number = _number(digits)
    if number > _MAX_DENOMINATOR:
        raise UnreadableMusic(f"1/{number} is too short a length for a note.")
    return number


def read_length(numerator: str, slashes: str, denominator: str) -> Fraction:
    """The factor written after a note: "3", "/", "3/2", "//"; 1 where nothing is written."""
    if len(slashes) > _MAX_SLASHES:
        raise UnreadableMusic("A note length has too many slashes.")
    top = _number(numerator) if numerator else 1
    if denominator:
        return Fraction(top, _denominator(denominator) * 2 ** (len(slashes) - 1))
    return Fraction(top, 2 ** len(slashes))


def read_meter(text: str) -> Meter:
    """The metre of an M: field, "C" and "C|" included; free where it names no fraction."""
    plain = text.strip()
    if plain in ("C", "C|"):
        return Meter(Fraction(1))
    found = re.search(r"\(?(\d+(?:\s*\+\s*\d+)*)\)?\s*/\s*(\d+)", plain)
    if not found:
        return Meter(None)
    beats = sum(_number(part.strip()) for part in found[1].split("+"))
    return Meter(Fraction(beats, _denominator(found[2])), compound=beats % 3 == 0 and beats > 3)


def read_unit(text: str) -> Fraction:
    """The unit length of an L: field, as "1/8"."""
    found = re.fullmatch(r"(\d+)(?:\s*/\s*(\d+))?", text.strip())
    if not found:
        raise UnreadableMusic(f"L:{text[:20]} is no unit length; write for example L:1/8.")
    return Fraction(_number(found[1]), _denominator(found[2] or "1"))


def read_tempo(text: str, unit: Fraction) -> float | None:
    """Quarter notes per minute of a Q: field; None where it holds only words.

    "1/4=60", "3/8=50", "1/4 1/8=40", words in quotes; "120" alone counts units of `unit`.
    """
    plain = re.sub(r'"[^"]*"', " ", text).strip()
    if not plain:
        return None
    if not re.search(r"\d", plain):
        return None
    beats, equals, rate = plain.rpartition("=")
    try:
        per_minute = float(rate)
    except ValueError as error:
        raise UnreadableMusic(f"Q:{text[:30]} is no tempo; write for example Q:1/4=60.") from error
    beat = unit
    if equals and (parts := re.findall(r"(\d+)\s*/\s*(\d+)", beats)):
        beat = sum((Fraction(_number(a), _denominator(b)) for a, b in parts), Fraction(0))
    elif equals and (old := re.fullmatch(r"C(\d*)", beats.strip())):
        beat = unit * _number(old[1] or "1")
    elif equals:
        raise UnreadableMusic(f"Q:{text[:30]} is no tempo; write for example Q:1/4=60.")
    qpm = per_minute * float(beat) * 4
    if not 5 <= qpm <= 2000:
        raise UnreadableMusic(f"Q:{text[:30]} is too slow or too fast to play.")
    return qpm


def read_parts(text: str) -> str:
    """The order of the parts in a P: field of the header, one letter each: "(AB)2C" -> "ABABC".

    Empty where the field is words and not an order.
    """
    plain = re.sub(r"[\s.*]", "", text)
    if not re.fullmatch(r"(?:[A-Z]\d?|[()]\d?)+", plain):
        return ""
    levels = [""]
    for sign, count in re.findall(r"([A-Z()])(\d?)", plain):
        if sign == "(":
            levels.append("")
            continue
        closed = levels.pop() if sign == ")" and len(levels) > 1 else ""
        levels[-1] += (closed if sign == ")" else sign) * int(count or 1)
        if sum(map(len, levels)) > _MAX_PARTS:
            raise UnreadableMusic(f"P:{text[:20]} asks for more than {_MAX_PARTS} parts.")
    return "".join(levels)


def _explicit(text: str) -> dict[str, int]:
    found = re.findall(r"(\^\^|\^|__|_|=)([A-Ga-g])(?![A-Za-z])", text)
    return {letter.upper(): ACCIDENTALS[sign] for sign, letter in found}


def _signature(sharps: int) -> dict[str, int]:
    order, step = (_SHARPS, 1) if sharps > 0 else (_SHARPS[::-1], -1)
    alterations: dict[str, int] = {}
    for index in range(abs(sharps)):
        letter = order[index % 7]
        alterations[letter] = alterations.get(letter, 0) + step
    return alterations


def read_key(text: str) -> Key | None:
    """The key of a K: field; None where it only sets a clef, an octave or a transposition.

    "Em", "D dorian", "C#m", "Bb", "none", "HP", and "D exp _b ^f" or "Dmix ^f" with
    accidentals of their own.
    """
    plain = _BARE_CLEF.sub(" ", _SETTING.sub(" ", text)).strip()
    if not plain and text.strip():
        return None
    if not plain or plain.casefold().startswith("none"):
        return Key(_explicit(plain))
    if re.match(r"H[Pp]\b", plain):
        return Key({"F": 1, "C": 1})
    found = _KEY.match(plain)
    mode = "" if not found or found[3] == "M" else found[3].casefold()[:3]
    if found and mode == "exp":
        return Key(_explicit(plain[found.end() :]))
    if not found or mode not in _MODES:
        raise UnreadableMusic(f"K:{plain[:30]} is no key; write for example K:Em or K:D dorian.")
    sharps = _TONICS[found[1]] + {"#": 7, "b": -7, "": 0}[found[2]] + _MODES[mode]
    return Key(_signature(sharps) | _explicit(plain[found.end() :]))


def read_staff(text: str) -> Staff | None:
    """What the clef, octave= and transpose= of a K: or V: field add; None where it has none."""
    settings: dict[str, str] = dict(_SETTING.findall(text))
    bare = _BARE_CLEF.search(text)
    clef = re.match(_CLEF, settings.get("clef", "").strip('"')) or bare
    if clef is None and not settings.keys() & {"octave", "transpose", "t"}:
        return None
    semitones = 12 * _signed("octave", settings.get("octave", "0"))
    transpose: str = settings.get("transpose", settings.get("t", "0"))
    semitones += _signed("transpose", transpose)
    if clef and clef[1]:
        semitones += 12 if clef[1] in "+^" else -12
    return Staff(semitones)


def _signed(name: str, text: str) -> int:
    if not re.fullmatch(r"[-+]?\d{1,2}", text.strip('"')):
        raise UnreadableMusic(f"{name}={text[:20]} is not a whole number.")
    return int(text.strip('"'))
