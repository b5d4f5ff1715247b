"""Music to ABC text: sixteenths on a grid, two hands as two voices, or a melody as a prompt.

What is finer than a sixteenth is rounded; velocities and pedal are not written. Accidentals are
written so that readers agree whether they reach other octaves (the standard) or not (`read_abc`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import NamedTuple

from pyzzicato.formats.abc.fields import read_key
from pyzzicato.music.notes import Note, NoteSequence

__all__ = ["Prompt", "key_of", "melody_prompt", "write_abc"]

UNITS = 16  # sixteenths in a bar of 4/4
MIDDLE = 60
_NAMES = ("C", "C", "D", "D", "E", "F", "F", "G", "G", "A", "A", "B")
_FLAT_NAMES = ("C", "D", "D", "E", "E", "F", "G", "G", "A", "A", "B", "B")
_NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_KEYS = ("C", "G", "F", "D", "Bb", "A", "Eb", "E", "Ab", "B", "Db")
_SIGNS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
_FLAT_KEYS = ("F", "Bb", "Eb", "Ab", "Db")

Chord = tuple[int, int, tuple[int, ...]]
"""First unit, units, pitches; no pitches for a rest."""


class Prompt(NamedTuple):
    """What a network of characters reads before it writes on: the header, and all of it."""

    header: str
    text: str


def key_of(notes: Iterable[Note]) -> str:
    """The major key whose signature needs the fewest accidentals, in seconds of sound; "C"."""
    weight = [0.0] * 12
    for note in notes:
        weight[note.pitch % 12] += note.end - note.start

    def outside(key: str) -> float:
        inside = {(_NATURAL[x] + _altered(key).get(x, 0)) % 12 for x in _NATURAL}
        return sum(value for pitch, value in enumerate(weight) if pitch not in inside)

    return min(_KEYS, key=outside)


def _altered(key: str) -> dict[str, int]:
    found = read_key(key)
    return found.alterations if found else {}


def write_abc(sequence: NoteSequence, title: str = "") -> str:
    """ABC text of `sequence`: what lies from middle C upwards is one voice, the rest another.

    A hand plays one chord at a time: a note ends where the next one of its hand begins. Drums
    are left out; music without notes is one bar of rest.
    """
    notes = [note for note in sequence if not note.is_drum]
    unit = 60 / sequence.qpm / 4
    key = key_of(notes)
    lines = ["X:1", f"T:{' '.join(title.split()) or 'Untitled'}", "M:4/4", "L:1/16"]
    lines += [f"Q:1/4={sequence.qpm:.6g}", f"K:{key}"]
    hands = [[n for n in notes if n.pitch >= MIDDLE], [n for n in notes if n.pitch < MIDDLE]]
    voices = [hand for hand in hands if hand] or [[]]
    for number, hand in enumerate(voices, start=1):
        if len(voices) > 1 or (number == 1 and hand is hands[1]):
            lines.append(f"V:{number}" + (" clef=bass" if hand is hands[1] else ""))
        bars = _bars(_chords(hand, unit), key) or [f"z{UNITS}|"]
        lines += ["".join(bars[place : place + 4]) for place in range(0, len(bars), 4)]
    return "\n".join(lines) + "\n"


def melody_prompt(
    seed: NoteSequence, seconds: float, plain: bool, kind: str = "", key: str = ""
) -> Prompt | None:
    """The highest notes of the last `seconds` of `seed` as a tune to go on with; None without.

    A unit is a sixteenth at 120 quarter notes a minute, which is what a tune is played at.
    `plain` is the form of `pyzzicato.families.abc.plain`, in which kind and key come first.
    """
    kept = seed.trim(max(0.0, seed.duration - seconds), seed.duration)
    top: dict[float, Note] = {}
    for note in kept:
        if not note.is_drum and (note.start not in top or top[note.start].pitch < note.pitch):
            top[note.start] = note
    notes = [_within(note) for note in top.values()]
    if not notes:
        return None
    key = key or key_of(notes)
    head = f"X:1\nR:{kind or 'tune'}\nK:{key}\nM:4/4\nL:1/16\n"
    if not plain:
        head = f"X:1\nT:Untitled\nM:4/4\nL:1/16\nK:{key}\n"
    first = min(note.start for note in notes)
    shifted = [n._replace(start=n.start - first, end=n.end - first) for n in notes]
    return Prompt(head, head + "".join(_bars(_chords(shifted, 0.125), key, whole=True)))


def _within(note: Note) -> Note:
    """A note moved by octaves to where tunes are, G3 to B5."""
    pitch = note.pitch
    while pitch > 83:
        pitch -= 12
    while pitch < 55:
        pitch += 12
    return note._replace(pitch=pitch)


def _chords(notes: Sequence[Note], unit: float) -> list[Chord]:
    """One chord after another without gaps: rests where nothing sounds."""
    by_start: dict[int, dict[int, int]] = {}
    for note in notes:
        start = round(note.start / unit)
        length = max(1, round(note.end / unit) - start)
        pitches = by_start.setdefault(start, {})
        pitches[note.pitch] = max(length, pitches.get(note.pitch, 0))
    starts = sorted(by_start)
    chords: list[Chord] = []
    now = 0
    for start, coming in zip_longest(starts, starts[1:]):
        if start > now:
            chords.append((now, start - now, ()))
        length = max(by_start[start].values())
        length = length if coming is None else min(length, coming - start)
        chords.append((start, length, tuple(sorted(by_start[start]))))
        now = start + length
    return chords


def _bars(chords: Sequence[Chord], key: str, whole: bool = False) -> list[str]:
    """The chords in bars of 4/4, each with its bar line; ties over it.

    The last bar is filled with a rest; with `whole` it is left out, where there are others.
    """
    bars: list[str] = []
    speller = _Speller(key)
    text, place = "", 0
    for _, length, pitches in chords:
        while length:
            now = min(length, UNITS - place)
            text += speller.chord(pitches, now) + ("-" if pitches and now < length else "")
            length, place = length - now, place + now
            if place == UNITS:
                bars.append(text + "|")
                text, place = "", 0
                speller.new_bar()
    if text and not (whole and bars):
        bars.append(text + f"z{UNITS - place}|")
    return bars


class _Speller:
    """Notes as they are spelled in a key, with the accidentals that the bar so far asks for."""

    def __init__(self, key: str) -> None:
        self._altered = _altered(key)
        self._names = _FLAT_NAMES if key in _FLAT_KEYS else _NAMES
        self._touched: set[str] = set()

    def new_bar(self) -> None:
        """A bar line: accidentals end."""
        self._touched.clear()

    def chord(self, pitches: Sequence[int], units: int) -> str:
        """A note, a chord in brackets or a rest, `units` long."""
        length = "" if units == 1 else str(units)
        notes = [self._note(pitch) for pitch in pitches]
        if len(notes) == 1:
            return notes[0] + length
        return (f"[{''.join(notes)}]" if notes else "z") + length

    def _note(self, pitch: int) -> str:
        in_key = [
            letter
            for letter, natural in _NATURAL.items()
            if (natural + self._altered.get(letter, 0) - pitch) % 12 == 0
        ]
        letter = in_key[0] if in_key else self._names[pitch % 12]
        sign = (pitch - _NATURAL[letter] + 6) % 12 - 6
        octave = (pitch - _NATURAL[letter] - sign) // 12 - 1
        accidental = ""
        if not in_key or letter in self._touched:
            accidental = _SIGNS[sign]
            self._touched.add(letter)
        if octave >= 5:
            return accidental + letter.lower() + "'" * (octave - 5)
        return accidental + letter + "," * (4 - octave)
