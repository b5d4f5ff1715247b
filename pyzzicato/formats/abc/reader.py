"""From the lines of one ABC tune to its voices.

Follows the ABC standard 2.1. Differs from it in: an overlay (&) is a voice of its own, so
accidentals do not reach it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.abc.fields import (
    Meter,
    Staff,
    read_key,
    read_meter,
    read_parts,
    read_staff,
    read_tempo,
    read_unit,
)
from pyzzicato.formats.abc.signs import SIGN_READERS, SIGNS
from pyzzicato.formats.abc.text import Line, is_prose
from pyzzicato.formats.abc.touch import SYMBOLS
from pyzzicato.formats.abc.voice import Settings, Voice

__all__ = ["Tune", "read_tune"]

_FIELD_LINE = re.compile(r"([A-Za-z+]):(?![|:])(.*)")
_DIRECTIVE = re.compile(r"%%\s*([\w-]+)\s*(.*)")
_SYMBOL = re.compile(r"([~H-Wh-w])\s*=\s*(.+)")
_REACHES = ("not", "octave", "pitch")  # of accidentals
_MAX_VOICES = 64
_MAX_FIELD = 300  # characters of a field that are read


@dataclass(slots=True)
class Tune:
    """A tune as it is written: its header fields, its first tempo and its voices."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    qpm: float | None = None
    parts: str = ""  # the order in which the parts are played, one letter each
    voices: dict[str, Voice] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)  # what was left out, a sentence each


class _Reader:
    """Reads a tune line by line; `line` is the number of the line it is at.

    A `patient` one leaves out what makes no sense and goes on.
    """

    def __init__(self, patient: bool = False) -> None:
        self.tune = Tune()
        self.patient = patient
        self.settings = Settings()
        self.symbols = {letter: (name,) for letter, name in SYMBOLS.items()}
        self.staffs: dict[str, Staff] = {}
        self.voice: Voice | None = None
        self.in_header = True
        self.line = 0

    def read(self, lines: Sequence[Line]) -> Tune:
        """Read the first tune of `lines`; it ends at an empty line or at the next X: field."""
        for self.line, raw in lines:
            line = re.sub(r"(?<!\\)%.*", "", raw).strip()
            if (not raw.strip() and not self.in_header) or (
                line.startswith("X:") and "X" in self.tune.fields
            ):
                break
            if directive := _DIRECTIVE.match(raw):
                self._instruction(directive[1], directive[2])
            elif found := _FIELD_LINE.match(line):
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
            self._drop(text, str(error))

    def _drop(self, text: str, reason: str) -> None:
        where = f"Line {self.line}" + (f", “{text.strip()[:30]}”" if text.strip() else "")
        self.tune.dropped.append(f"{where}: {reason}")

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
        elif letter == "U":
            self._symbol(value)
        elif letter == "I":
            name, _, setting = value.partition(" ")
            self._instruction(name, setting)
        elif letter == "P" and self.in_header:
            self.tune.parts = read_parts(value)
        elif letter == "P" and re.fullmatch(r"[A-Z]\b.*", value):
            self.voice = self.voice or self._voice_called("1")
            self.voice.start_part(value[0])

    def _symbol(self, value: str) -> None:
        """U: a letter stands for decorations, or with !nil! for none."""
        if found := _SYMBOL.fullmatch(value):
            names = re.findall(r"[!+]([^!+]+)[!+]", found[2]) or [found[2].strip()]
            self.symbols[found[1]] = tuple(names)

    def _instruction(self, name: str, value: str) -> None:
        """An I: field or a line with %%; most are for printers."""
        words = value.split()
        if name == "propagate-accidentals" and words and words[0] in _REACHES:
            self._set(accidentals=words[0])

    def _set(
        self,
        meter: Meter | None = None,
        unit: Fraction | None = None,
        accidentals: str | None = None,
    ) -> None:
        """Change settings of the voice, or of the tune before any music."""
        old = self.voice.settings if self.voice else self.settings
        new = replace(
            old,
            meter=meter or old.meter,
            unit=unit or old.unit,
            accidentals=accidentals or old.accidentals,
        )
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
        if is_prose(line, self.symbols):
            self._drop(line, "this is plainly no music and is left out.")
            return
        place = 0
        while place < len(line):
            found = SIGNS.match(line, place)
            if not found:
                after = place + 1
                while self.patient and after < len(line) and not SIGNS.match(line, after):
                    after += 1
                unknown = line[place : after if self.patient else place + 20]
                self._try("", _refuse, f"“{unknown}” is not understood.")
                place = after
                continue
            if self.voice is None and found.lastgroup not in ("field", "skipped"):
                self.voice = self._voice_called("1")  # music before any V: field
            if found.lastgroup == "field":
                self._try(found[0], self._field, found[2], found[3].strip()[:_MAX_FIELD])
            elif self.voice and found.lastgroup == "decoration":
                self._decoration(self.voice, found[0])
            elif self.voice and found.lastgroup in SIGN_READERS:
                self._try(found[0], SIGN_READERS[found.lastgroup], self.voice, found)
            place = found.end()

    def _decoration(self, voice: Voice, text: str) -> None:
        names = (text[1:-1],) if len(text) > 1 else self.symbols.get(text, ())
        for name in names:
            voice.touch.decorate(name)


def _refuse(sentence: str) -> None:
    raise UnreadableMusic(sentence)


def read_tune(lines: Sequence[Line], patient: bool = False) -> Tune:
    """The first tune in `lines`, with at least one voice.

    Raises UnreadableMusic, which names the line, where the text is not ABC. A `patient` reading
    raises nothing: what makes no sense is left out and named in `Tune.dropped`, and there may be
    no voice. Lines that are plainly prose are left out and named in either case.
    """
    reader = _Reader(patient)
    try:
        return reader.read(lines)
    except UnreadableMusic as error:
        raise UnreadableMusic(f"Line {reader.line} of the ABC text: {error}") from error
