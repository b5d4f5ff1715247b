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
_CLEFS = "treble|bass|tenor|alto|soprano|mezzosoprano|baritone|perc|none"
_BARE_CLEF = re.compile(rf"(?:{_CLEFS})\d?(?:[-+^_](?:8|15))?", re.IGNORECASE)
_CLEF_OCTAVES = re.compile(r"([-+^_])(8|15)$")
_WORD = re.compile(r'[a-z][^\s="]*=(?:"[^"]*"|\S*)|"[^"]*"|\S+')
_TONIC = re.compile(r"([A-G])([#b]?)[-\s]*([A-Za-z]*)")
_ACCIDENTAL_SIGNS = str.maketrans({"♯": "#", "♭": "b", "＃": "#"})
_EXPLICIT = re.compile(r"(\^\^|\^|__|_|=)([A-Ga-g])")
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
    if not re.fullmatch(r"(?:[A-Z()]\d{0,4})+", plain):
        return ""
    levels = [""]
    for sign, count in re.findall(r"([A-Z()])(\d*)", plain):
        if sign == "(":
            levels.append("")
            continue
        part = sign
        if sign == ")":
            part = levels.pop() if len(levels) > 1 else ""
        times = int(count or 1)
        if sum(map(len, levels)) + len(part) * times > _MAX_PARTS:
            raise UnreadableMusic(f"P:{text[:20]} asks for more than {_MAX_PARTS} parts.")
        levels[-1] += part * times
    return "".join(levels)


def _words(text: str) -> list[str]:
    """The words of a K: or V: field, each setting such as clef=bass with its value."""
    return _WORD.findall(text.translate(_ACCIDENTAL_SIGNS))


def _setting(word: str) -> tuple[str, str] | None:
    """The name and the value of a word such as `octave=-1`; None for any other."""
    name, equals, value = word.partition("=")
    return (name, value.strip('"')) if equals and re.match(r"[a-z]", name) else None


def _is_set(word: str) -> bool:
    """Whether a word of a K: field says nothing of the key: a setting, a clef, or in quotes."""
    return bool(word.startswith('"') or _setting(word) or _is_clef(word))


def _is_clef(word: str) -> bool:
    return bool(_BARE_CLEF.fullmatch(word)) and word.casefold() != "none"


def _explicit(words: list[str]) -> dict[str, int]:
    """The accidentals that stand in a K: field: "^f", "_b_e"; other words say nothing."""
    found: list[tuple[str, str]] = []
    for word in words:
        if re.fullmatch(rf"(?:{_EXPLICIT.pattern})+", word):
            found += _EXPLICIT.findall(word)
    return {letter.upper(): ACCIDENTALS[sign] for sign, letter in found}


def _signature(sharps: int) -> dict[str, int]:
    order, step = (_SHARPS, 1) if sharps > 0 else (_SHARPS[::-1], -1)
    alterations: dict[str, int] = {}
    for index in range(abs(sharps)):
        letter = order[index % 7]
        alterations[letter] = alterations.get(letter, 0) + step
    return alterations


def read_key(text: str) -> Key | None:
    """The key of a K: field; None where it says nothing of the key.

    "Em", "D dorian", "C#m", "Bb", "B♭", "none", "HP", and "D exp _b ^f" or "Dmix ^f" with
    accidentals of their own. Clefs, settings and words of other programs are passed over.
    """
    if not text.strip():
        return Key()
    words = [word for word in _words(text) if not _is_set(word)]
    for place, word in enumerate(words):
        rest = words[place + 1 :]
        if word.casefold() in ("none", "exp") or _EXPLICIT.match(word):
            return Key(_explicit([word, *rest]))
        if word in ("HP", "Hp"):
            return Key({"F": 1, "C": 1})
        small = _TONIC.fullmatch(word.capitalize())
        if word[0].isupper() or (small and _mode(small[3]) is not None):
            return _tonic_key(word[0].upper() + word[1:], rest)
    return None


def _mode(word: str) -> str | None:
    """The first letters of a mode, "exp" among them; None where `word` names none."""
    short = "" if word == "M" else word.casefold()[:3]
    return short if short in _MODES or short == "exp" else None


def _tonic_key(word: str, rest: list[str]) -> Key:
    """The key of a tonic, with its mode in the same word or the next, and accidentals behind."""
    if rest and rest[0].casefold() in ("sharp", "flat"):
        word, rest = word + {"s": "#", "f": "b"}[rest[0][0].casefold()], rest[1:]
    found = _TONIC.match(word)
    mode = _mode(found[3]) if found else None
    if found is None or mode is None:
        raise UnreadableMusic(f"K:{word[:30]} is no key; write for example K:Em or K:D dorian.")
    if not found[3] and rest and (said := _mode(rest[0])) is not None:
        mode, rest = said, rest[1:]
    own = _explicit([word[found.end() :], *rest])
    if mode == "exp":
        return Key(own)
    sharps = _TONICS[found[1]] + {"#": 7, "b": -7, "": 0}[found[2]] + _MODES[mode]
    return Key(_signature(sharps) | own)


def read_staff(text: str) -> Staff | None:
    """What the clef, octave= and transpose= of a K: or V: field add; None where it has none."""
    words = _words(text)
    settings = dict(found for word in words if (found := _setting(word)))
    clef = settings.get("clef") or next(filter(_is_clef, words), None)
    if clef is None and not settings.keys() & {"octave", "transpose", "t"}:
        return None
    semitones = 12 * _signed("octave", settings.get("octave", "0"))
    semitones += _signed("transpose", settings.get("transpose", settings.get("t", "0")))
    if clef and (suffix := _CLEF_OCTAVES.search(clef)):
        octaves = {"8": 1, "15": 2}[suffix[2]]
        semitones += 12 * (octaves if suffix[1] in "+^" else -octaves)
    return Staff(semitones)


def _signed(name: str, text: str) -> int:
    if not re.fullmatch(r"[-+]?\d{1,2}", text):
        raise UnreadableMusic(f"{name}={text[:20]} is not a whole number.")
    return int(text)
