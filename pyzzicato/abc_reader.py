"""From the text of one ABC tune to its voices: which signs there are and what each one does.

Follows the ABC standard 2.1. Differs from it in: an overlay (&) is a voice of its own, so
accidentals do not reach it. Trills and rolls
are played as abc2midi plays them, which the standard leaves open.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from pyzzicato.abc_fields import (
    ACCIDENTALS,
    Meter,
    Staff,
    read_key,
    read_length,
    read_meter,
    read_parts,
    read_staff,
    read_tempo,
    read_unit,
)
from pyzzicato.abc_voice import Settings, Spelling, Voice
from pyzzicato.errors import UnreadableMusic

__all__ = ["Tune", "read_tune"]

_LENGTH = r"(\d*)(/*)(\d*)"
_NOTE = rf"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*){_LENGTH}\s*(-?)"
_SIGNS = re.compile(
    rf"""
    (?P<field>\[([A-Za-z]):([^\]]*)\])
  | (?P<ending>\[\s*(?=[1-9])(?P<numbers>[\d,.\-]+))
  | (?P<bar>(?P<line>\[\|\](?=:)|:*\[?\|[|\]]*:*|:+\]?)(?P<after>\s*[1-9][\d,.\-]*)?)
  | (?P<chord>\[(?P<inside>(?:"[^"]*"|[^\]"\[|])*)\](?P<times>{_LENGTH}))
  | (?P<note>{_NOTE})
  | (?P<rest>[zx](?P<rest_length>{_LENGTH}))
  | (?P<bars_rest>[ZX](?P<bars>\d*))
  | (?P<tuplet>\((?P<p>[2-9])(?::(?P<q>\d*))?(?::(?P<r>\d*))?)
  | (?P<grace>\{{/?(?P<graces>[^}}|]*)\}})
  | (?P<broken>>+|<+)
  | (?P<tie>-)
  | (?P<overlay>&)
  | (?P<ornament>!(?P<named>trill|tr|roll)!|(?P<sign>[T~])(?=[\^_=]*[A-Ga-g]))
  | (?P<dynamic>!(?P<loud>pppp?|pp?|mp|mf|ff?|ffff?|sfz)!|\+(?P<plus>ppp?|p|mp|mf|fff?|f)\+)
  | (?P<skipped>[\s`\\.~$*;?@#()]|"[^"]*"|![^\s!|][^!|]{{0,40}}!|\+[^+|]{{1,40}}\+|!|y\d*|[H-WYh-w])
    """,
    re.VERBOSE,
)
_INSIDE = re.compile(_NOTE)
_NO_NOTE = re.compile(r'"[^"]*"|![^!]*!|[\s.~()+]|[H-WYh-w](?!:)')
_VELOCITIES = {"pppp": 20, "ppp": 30, "pp": 45, "p": 60, "mp": 75, "mf": 90}
_VELOCITIES |= {"f": 105, "ff": 120, "fff": 127, "ffff": 127, "sfz": 120}
_FIELD_LINE = re.compile(r"([A-Za-z+]):(?![|:])(.*)")
_MAX_VOICES = 64
_MAX_FIELD = 300  # characters of a field that are read


@dataclass(slots=True)
class Tune:
    """A tune as it is written: its header fields, its first tempo and its voices."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    qpm: float | None = None
    parts: str = ""  # the order in which the parts are played, one letter each
    voices: dict[str, Voice] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)  # what was left out, where that is allowed


def _spelling(found: re.Match[str], first: int = 1) -> Spelling:
    accidental, letter, marks, top, slashes, bottom, tie = (
        found.group(first + index) or "" for index in range(7)
    )
    octave = (5 if letter.islower() else 4) + marks.count("'") - marks.count(",")
    length = read_length(top, slashes, bottom)
    sign = ACCIDENTALS.get(accidental)
    return Spelling(letter.upper(), octave, sign, length, tied=bool(tie))


def _spellings(inside: str) -> list[Spelling]:
    """The notes between the brackets of a chord or of grace notes."""
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


def _numbers(text: str) -> frozenset[int]:
    """The passes of an ending: "1", "1,3" or "1-3", each at most 9."""
    numbers: set[int] = set()
    for part in re.split(r"[,.]", text.strip(",.-")):
        first, _, last = part.partition("-")
        if not (re.fullmatch(r"[1-9]", first) and re.fullmatch(r"[1-9]?", last)):
            raise UnreadableMusic(f"“{text[:20]}” does not name the endings of a repeat.")
        numbers.update(range(int(first), int(last or first) + 1))
    return frozenset(numbers)


class _Reader:
    """Reads a tune line by line; `line` is the number of the line it is at.

    A `patient` one leaves out what makes no sense and goes on.
    """

    def __init__(self, patient: bool = False) -> None:
        self.tune = Tune()
        self.patient = patient
        self.settings = Settings()
        self.staffs: dict[str, Staff] = {}
        self.voice: Voice | None = None
        self.in_header = True
        self.line = 0

    def read(self, text: str) -> Tune:
        """Read the first tune in `text`; it ends at an empty line or at the next X: field."""
        for self.line, raw in enumerate(text.splitlines(), start=1):
            line = re.sub(r"(?<!\\)%.*", "", raw).strip()
            if (not raw.strip() and not self.in_header) or (
                line.startswith("X:") and "X" in self.tune.fields
            ):
                break
            if found := _FIELD_LINE.match(line):
                self._try(line, self._field, found[1], found[2].strip()[:_MAX_FIELD])
            elif line and self.in_header and self.patient:
                self._headless(line)
            elif line and not self.in_header:
                self._music(line)
        if self.in_header:
            self._try(
                "",
                _refuse,
                "there is no K: line, which names the key and starts the music.",
            )
        return self.tune

    def _try(self, text: str, action: Callable[..., None], *values: Any) -> None:
        """Do what a piece of the text says; a patient reader leaves it out where it is wrong."""
        try:
            action(*values)
        except UnreadableMusic as error:
            if not self.patient:
                raise
            where = f"Line {self.line}" + (f", “{text.strip()[:30]}”" if text.strip() else "")
            self.tune.dropped.append(f"{where}: {error}")

    def _headless(self, line: str) -> None:
        """A line in the header that is no field: music, if it has a bar line and so looks it."""
        if "|" not in line:
            self._try(line, _refuse, "this is neither a field nor music.")
            return
        self._try("", _refuse, "there is no K: line before the music; it is read in C.")
        self._try("", self._key_field, "C")
        self._music(line)

    def _field(self, letter: str, value: str) -> None:
        if self.in_header:
            self.tune.fields.setdefault(letter, []).append(value)
        if letter == "V":
            self._voice_field(value)
        elif letter == "K":
            self._key_field(value)
        elif letter == "M":
            self._set(meter=read_meter(value))
        elif letter == "L":
            self._set(unit=read_unit(value))
        elif letter == "Q" and not self.in_header:
            self._tempo(value)
        elif letter == "P" and self.in_header:
            self.tune.parts = read_parts(value)
        elif letter == "P" and re.fullmatch(r"[A-Z]\b.*", value):
            self.voice = self.voice or self._voice_called("1")
            self.voice.start_part(value[0])

    def _set(self, meter: Meter | None = None, unit: Fraction | None = None) -> None:
        """Change the metre or unit length of the voice, or of the tune before any music."""
        old = self.voice.settings if self.voice else self.settings
        new = replace(old, meter=meter or old.meter, unit=unit or old.unit)
        if self.voice:
            self.voice.settings = new
        else:
            self.settings = new

    def _key_field(self, value: str) -> None:
        key, staff = read_key(value), read_staff(value)
        if self.voice:
            if staff:
                self.voice.settings = replace(self.voice.settings, staff=staff)
            if key:
                self.voice.change_key(key)
            return
        if staff:
            self.settings = replace(self.settings, staff=staff)
        if key:
            self.settings = replace(self.settings, key=key)
        if self.in_header:
            self.in_header = False
            self.settings = replace(self.settings, unit=self.settings.unit_length)
            for tempo in self.tune.fields.get("Q", []):
                self._tempo(tempo)

    def _tempo(self, value: str) -> None:
        unit = (self.voice.settings if self.voice else self.settings).unit_length
        qpm = read_tempo(value, unit)
        if qpm and self.voice:
            self.voice.tempo(qpm)
        elif qpm:
            self.tune.qpm = qpm

    def _voice_field(self, value: str) -> None:
        name = value.split()[0] if value else "1"
        staff = read_staff(value.removeprefix(name))
        if staff:
            self.staffs[name] = staff
        if not self.in_header:
            self.voice = self._voice_called(name)
            if staff:
                self.voice.settings = replace(self.voice.settings, staff=staff)

    def _voice_called(self, name: str) -> Voice:
        if name not in self.tune.voices:
            if len(self.tune.voices) == _MAX_VOICES:
                raise UnreadableMusic(f"there are more than {_MAX_VOICES} voices.")
            staff = self.staffs.get(name, self.settings.staff)
            self.tune.voices[name] = Voice(replace(self.settings, staff=staff))
        return self.tune.voices[name]

    def _music(self, line: str) -> None:
        place = 0
        while place < len(line):
            found = _SIGNS.match(line, place)
            if not found:
                after = place + 1
                while self.patient and after < len(line) and not _SIGNS.match(line, after):
                    after += 1
                unknown = line[place : after if self.patient else place + 20]
                self._try("", _refuse, f"“{unknown}” is not understood.")
                place = after
                continue
            if self.voice is None and found.lastgroup not in ("field", "skipped"):
                self.voice = self._voice_called("1")  # music before any V: field
            if found.lastgroup == "field":
                self._try(found[0], self._field, found[2], found[3].strip()[:_MAX_FIELD])
            elif self.voice and found.lastgroup in _SIGN_READERS:
                self._try(found[0], _SIGN_READERS[found.lastgroup], self.voice, found)
            place = found.end()


def _refuse(sentence: str) -> None:
    raise UnreadableMusic(sentence)


def _bar(voice: Voice, found: re.Match[str]) -> None:
    line = found["line"]
    before = len(line) - len(line.lstrip(":"))
    after = len(line) - len(line.rstrip(":"))
    if line == ":":
        return  # a stray sign, with nothing to mean
    if not line.strip(":]"):  # "::" between two repeats
        before = after = 1
    double = line.count("|") + line.count("]") + line.count("[") > 1
    voice.end_bar(before + 1, repeat_start=after > 0, double=double)
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
    voice.grace(_spellings(found["graces"]))


def _broken(voice: Voice, found: re.Match[str]) -> None:
    voice.break_rhythm(found["broken"])


def _tie(voice: Voice, found: re.Match[str]) -> None:
    voice.tie()


def _overlay(voice: Voice, found: re.Match[str]) -> None:
    voice.overlay()


def _dynamic(voice: Voice, found: re.Match[str]) -> None:
    voice.velocity = _VELOCITIES[found["loud"] or found["plus"]]


def _ornament(voice: Voice, found: re.Match[str]) -> None:
    voice.ornament("roll" if found["named"] == "roll" or found["sign"] == "~" else "trill")


_SIGN_READERS: dict[str, Callable[[Voice, re.Match[str]], None]] = {
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
    "ornament": _ornament,
    "dynamic": _dynamic,
}


def read_tune(text: str, patient: bool = False) -> Tune:
    """The first tune in `text`, with at least one voice.

    Raises UnreadableMusic, which names the line, where the text is not ABC. A `patient` reading
    raises nothing: what makes no sense is left out and named in `Tune.dropped`, and there may be
    no voice.
    """
    reader = _Reader(patient)
    try:
        return reader.read(text.removeprefix("\ufeff"))
    except UnreadableMusic as error:
        raise UnreadableMusic(f"Line {reader.line} of the ABC text: {error}") from error
