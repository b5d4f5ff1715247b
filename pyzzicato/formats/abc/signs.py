"""The signs of a line of ABC music: what there is, and what each one tells the voice."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.abc.bars import Spelling
from pyzzicato.formats.abc.fields import ACCIDENTALS, read_length
from pyzzicato.formats.abc.voice import Voice

__all__ = ["SIGNS", "SIGN_READERS"]

_LENGTH = r"(\d*)(/*)(\d*)"
_NOTE = rf"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*){_LENGTH}\s*(-?)"
_CHORD = r'(?:"[^"]*"|[^\]"\[|])+\]'
_NO_BAR = rf"(?!\s*[1-9]|[A-Za-z]:|{_CHORD})"  # after a bracket that begins something else
_BAR = rf"(?!\[[^|\[\]:\s])(?:[|\]:]|\[(?=[|\[\]:])|(?:(?<=\])\[|\[(?=\s)){_NO_BAR})+"
SIGNS = re.compile(
    rf"""
    (?P<field>\[([A-Za-z]):([^\]]*)\])
  | (?P<ending>\[\s*(?=[1-9])(?P<numbers>[\d,.\-]+))
  | (?P<bar>(?P<line>{_BAR})(?P<after>\s*[1-9][\d,.\-]*)?)
  | (?P<chord>\[(?P<inside>(?:"[^"]*"|[^\]"\[|])*)\](?P<times>{_LENGTH}))
  | (?P<note>{_NOTE})
  | (?P<rest>[zx](?P<rest_length>{_LENGTH}))
  | (?P<bars_rest>[ZX](?P<bars>\d*))
  | (?P<tuplet>\((?P<p>[2-9])(?::(?P<q>\d*))?(?::(?P<r>\d*))?)
  | (?P<grace>\{{/?(?P<graces>[^}}|]*)\}})
  | (?P<broken>>+|<+)
  | (?P<tie>-)
  | (?P<overlay>&+)
  | (?P<decoration>![^\s!|][^!|]{{0,40}}!|\+[^+|]{{1,40}}\+|\.(?![(\-|])|[~H-Wh-w](?!\())
  | (?P<skipped>[\s`\\.$*;?@#()~H-Wh-w]|"[^"]*"|!|y\d*|Y)
    """,
    re.VERBOSE,
)
"""The signs of a line, one after another; `lastgroup` names the kind."""
_INSIDE = re.compile(_NOTE)
_NO_NOTE = re.compile(r'"[^"]*"|z\d*/*\d*|![^!]*!|\((?:\d(?::\d*)*)?|[\s.~)+]|[H-WYh-w](?!:)')
_GRACE_PARTS = re.compile(rf"\[([^\]]*)\]({_LENGTH})|(>+|<+)|z{_LENGTH}")


def _spelling(found: re.Match[str]) -> Spelling:
    accidental, letter, marks, top, slashes, bottom, tie = (part or "" for part in found.groups())
    octave = (5 if letter.islower() else 4) + marks.count("'") - marks.count(",")
    length = read_length(top, slashes, bottom)
    sign = ACCIDENTALS.get(accidental)
    return Spelling(letter.upper(), octave, sign, length, tied=bool(tie))


def _spellings(inside: str) -> list[Spelling]:
    """The notes between the brackets of a chord."""
    spellings: list[Spelling] = []
    place = 0
    while place < len(inside):
        if found := _INSIDE.match(inside, place):
            spellings.append(_spelling(found))
        elif not (found := _NO_NOTE.match(inside, place)):
            raise UnreadableMusic(f"“{inside[:30]}” holds something that is not a note.")
        place = found.end()
    if not spellings:
        raise UnreadableMusic("A chord or grace note holds no notes.")
    return spellings


def _graces(inside: str) -> list[list[Spelling]]:
    """The grace notes and chords between braces, which may be in broken rhythm."""
    chords: list[list[Spelling]] = []
    broken = Fraction(1)
    place = 0
    while place < len(inside):
        now = [] if (found := _INSIDE.match(inside, place)) is None else [_spelling(found)]
        if found is None and (found := _GRACE_PARTS.match(inside, place)):
            if found[1] is not None:
                now = _longer(_spellings(found[1]), _length(found[2]))
            elif (sign := found[6]) and chords:
                short = Fraction(1, 2 ** min(len(sign), 3))
                first, broken = (2 - short, short) if sign[0] == ">" else (short, 2 - short)
                chords[-1] = _longer(chords[-1], first)
        elif found is None and not (found := _NO_NOTE.match(inside, place)):
            raise UnreadableMusic(f"“{inside[:30]}” holds something that is not a note.")
        if now:
            chords.append(_longer(now, broken))
            broken = Fraction(1)
        place = found.end()
    if not chords:
        raise UnreadableMusic("A chord or grace note holds no notes.")
    return chords


def _longer(chord: list[Spelling], factor: Fraction) -> list[Spelling]:
    return [
        Spelling(s.letter, s.octave, s.accidental, s.length * factor, tied=False) for s in chord
    ]


def _numbers(text: str) -> frozenset[int]:
    """The passes of an ending: "1", "1,3" or "1-3", each at most 9."""
    numbers: set[int] = set()
    for part in re.split(r"[,.]", text.strip(",.-")):
        first, _, last = part.partition("-")
        if not (re.fullmatch(r"[1-9]", first) and re.fullmatch(r"[1-9]?", last)):
            raise UnreadableMusic(f"“{text[:20]}” does not name the endings of a repeat.")
        numbers.update(range(int(first), int(last or first) + 1))
    return frozenset(numbers)


def _repeats(line: str) -> tuple[int, int]:
    """How many colons of a bar line end a repeat, and how many begin one."""
    inner = line.strip(":")
    if not inner:  # "::" between two repeats
        return 1, 1
    ends = len(line) - len(line.lstrip(":"))
    begins = len(line) - len(line.rstrip(":"))
    for colons in re.finditer(":+", inner):
        both = len(colons[0]) > 1
        closed = inner[colons.start() - 1] == "]"
        ends = max(ends, int(both or closed))
        begins = max(begins, int(both or not closed))
    return ends, begins


def _bar(voice: Voice, found: re.Match[str]) -> None:
    line = found["line"]
    if line == ":":
        return  # a stray sign, with nothing to mean
    ends, begins = _repeats(line)
    double = line.count("|") + line.count("]") + line.count("[") > 1
    voice.end_bar(ends + 1, repeat_start=begins > 0, double=double)
    if found["after"]:
        voice.ending(_numbers(found["after"].strip()))


def _ending(voice: Voice, found: re.Match[str]) -> None:
    voice.ending(_numbers(found["numbers"]))


def _chord(voice: Voice, found: re.Match[str]) -> None:
    voice.play(_spellings(found["inside"]), _length(found["times"]))


def _note(voice: Voice, found: re.Match[str]) -> None:
    inside = _INSIDE.match(found["note"])
    if inside:
        voice.play([_spelling(inside)], Fraction(1))


def _rest(voice: Voice, found: re.Match[str]) -> None:
    voice.rest(_length(found["rest_length"]))


def _length(text: str) -> Fraction:
    top, slashes, bottom = re.findall(_LENGTH, text)[0]
    return read_length(top, slashes, bottom)


def _bars_rest(voice: Voice, found: re.Match[str]) -> None:
    voice.whole_bars_rest(int(_length(found["bars"])))


def _tuplet(voice: Voice, found: re.Match[str]) -> None:
    time, count = (int(_length(found[name])) if found[name] else None for name in "qr")
    voice.tuplet(int(found["p"]), time, count)


def _grace(voice: Voice, found: re.Match[str]) -> None:
    voice.grace(_graces(found["graces"]))


def _broken(voice: Voice, found: re.Match[str]) -> None:
    voice.break_rhythm(found["broken"])


def _tie(voice: Voice, found: re.Match[str]) -> None:
    voice.tie()


def _overlay(voice: Voice, found: re.Match[str]) -> None:
    voice.overlay(len(found["overlay"]))


SIGN_READERS: dict[str, Callable[[Voice, re.Match[str]], None]] = {
    "bar": _bar,
    "ending": _ending,
    "chord": _chord,
    "note": _note,
    "rest": _rest,
    "bars_rest": _bars_rest,
    "tuplet": _tuplet,
    "grace": _grace,
    "broken": _broken,
    "tie": _tie,
    "overlay": _overlay,
}
"""What each kind of sign does to the voice; fields and decorations are the reader's."""
