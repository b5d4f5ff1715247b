"""Notes and chords as dotted names with lengths in quarter notes: `E2.E3.G#3`, `1/4`.

Conventions. Times are counted in twelfths of a quarter note, so that halves, quarters, thirds,
sixths and twelfths are whole numbers; a start or end is moved to the nearest multiple of a
quarter or of a third of a quarter note, as music21 does when it reads MIDI. Names have sharps
and octaves, C4 is middle C (60), lowest key first, joined by dots; silence is `rest`.

Music becomes a row of tokens in one of two ways:

    slices   a token wherever a key is struck or let go: everything that sounds there
    onsets   a token wherever a key is struck: what is struck there; held keys are let go

Back again, a key that two different neighbours share is held across them in `slices` (two equal
neighbours are struck twice), and each token ends with the next one in `onsets`.

Source: Nguyễn Ngọc Lương (UIT). The document does not say how chords were found; cutting with
music21's grid wherever anything changes ("chordify") gives 62,287 tokens on 27 of its Beethoven
files and 32,374 after those seen fewer than 10 times are taken out. The document: more than
60,000, and 32,319.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence

__all__ = [
    "REST",
    "TWELFTHS",
    "ChordDuration",
    "Token",
    "Vocabulary",
    "Voice",
    "chord_name",
    "chord_pitches",
    "counted",
    "on_grid",
    "tokens_of",
    "transposed",
]

TWELFTHS = 12  # of a quarter note
REST = "rest"
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_LONGEST_HELD = 8 * TWELFTHS  # then a key that is still shared is struck again

Token = tuple[tuple[int, ...], int]
"""Pitches, lowest first (none for a rest), and a length in twelfths of a quarter note."""


def chord_name(pitches: Iterable[int]) -> str:
    """`C4.E4.G4` for 60, 64 and 67; `rest` for none."""
    return ".".join(f"{_NAMES[p % 12]}{p // 12 - 1}" for p in sorted(set(pitches))) or REST


@lru_cache(maxsize=65536)
def chord_pitches(name: str) -> tuple[int, ...]:
    """The pitches of a dotted name, lowest first. Raises ValueError where it is none."""
    if name == REST:
        return ()
    parts = [(part.rstrip("-0123456789"), part) for part in name.split(".")]
    return tuple(
        sorted(_NAMES.index(letter) + 12 * (int(part[len(letter) :]) + 1) for letter, part in parts)
    )


def on_grid(quarters: np.ndarray) -> np.ndarray:
    """Times in quarter notes as whole twelfths, on the nearest quarter or third of a quarter."""
    twelfths = np.asarray(quarters, np.float64) * TWELFTHS
    fourths, thirds = 3 * np.rint(twelfths / 3), 4 * np.rint(twelfths / 4)
    nearer = np.abs(twelfths - fourths) <= np.abs(twelfths - thirds)
    return np.where(nearer, fourths, thirds).astype(np.int64)


def tokens_of(notes: np.ndarray, cut: str = "slices") -> list[Token]:
    """The tokens of `notes`, rows of (start, end, pitch, ...) in quarter notes, from the first on.

    A note that the grid leaves no length lasts a twelfth.
    """
    start, end = on_grid(notes[:, 0]), on_grid(notes[:, 1])
    end = np.maximum(end, start + 1)
    pitch = notes[:, 2].astype(np.int64)
    return _slices(start, end, pitch) if cut == "slices" else _onsets(start, end, pitch)


def _slices(start: np.ndarray, end: np.ndarray, pitch: np.ndarray) -> list[Token]:
    borders = np.unique(np.concatenate([start, end]))
    sounding: list[set[int]] = [set() for _ in borders]
    first, stop = np.searchsorted(borders, start), np.searchsorted(borders, end)
    for a, b, key in zip(first.tolist(), stop.tolist(), pitch.tolist(), strict=True):
        for place in range(a, b):
            sounding[place].add(key)
    lengths = np.diff(borders).tolist()
    return [(tuple(sorted(keys)), n) for keys, n in zip(sounding, lengths, strict=False)]


def _onsets(start: np.ndarray, end: np.ndarray, pitch: np.ndarray) -> list[Token]:
    struck: dict[int, set[int]] = {}
    for when, key in zip(start.tolist(), pitch.tolist(), strict=True):
        struck.setdefault(when, set()).add(key)
    times = sorted(struck)
    last = int(end[start == times[-1]].max()) if times else 0
    lengths = np.diff([*times, last]).tolist()
    return [(tuple(sorted(struck[t])), n) for t, n in zip(times, lengths, strict=True)]


def transposed(tokens: Iterable[Token], semitones: int) -> list[Token]:
    """Tokens moved by `semitones`; keys that leave the piano are left out."""
    return [
        (tuple(p + semitones for p in keys if LOWEST_KEY <= p + semitones <= HIGHEST_KEY), length)
        for keys, length in tokens
    ]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names and lengths that a model knows, most frequent first; lengths as `1/4`."""

    notes: tuple[str, ...]
    durations: tuple[str, ...]

    @property
    def twelfths(self) -> tuple[int, ...]:
        """The lengths in twelfths of a quarter note."""
        return tuple(int(Fraction(text) * TWELFTHS) for text in self.durations)


def counted(lines: Iterable[Sequence[Token]], least: int = 10, most: int = 0) -> Vocabulary:
    """What `lines` hold at least `least` times, at most `most` names (0: all of them)."""
    names: Counter[str] = Counter()
    lengths: Counter[int] = Counter()
    for line in lines:
        names.update(chord_name(keys) for keys, _ in line)
        lengths.update(length for _, length in line)
    by_count = sorted(names, key=lambda name: (-names[name], name))
    kept = [name for name in by_count if names[name] >= least]
    often = sorted(lengths, key=lambda length: (-lengths[length], length))
    texts = [str(Fraction(n, TWELFTHS)) for n in often if lengths[n] >= least]
    return Vocabulary(tuple(kept[: most or None]), tuple(texts))


@dataclass(frozen=True)
class ChordDuration:
    """Codec between music and rows of codes (tokens, 2): places of name and length.

    `cut` is "slices" or "onsets". A token outside the vocabulary is left out, or, with
    `nearest`, becomes the known chord that shares most with it (left out where none shares a
    key) with the nearest length. `qpm` is the tempo of what `decode` gives.
    """

    vocabulary: Vocabulary
    cut: str = "slices"
    nearest: bool = False
    qpm: float = 120.0

    def encode(self, sequence: NoteSequence) -> np.ndarray:
        """Codes (n, 2) int64 of the pitched notes on the piano's keys, at the sequence's tempo."""
        rows = [
            (note.start, note.end, note.pitch)
            for note in sequence
            if not note.is_drum and LOWEST_KEY <= note.pitch <= HIGHEST_KEY
        ]
        notes = np.array(rows, np.float64).reshape(-1, 3)
        notes[:, :2] *= sequence.qpm / 60
        return self.codes(tokens_of(notes, self.cut))

    def codes(self, tokens: Iterable[Token]) -> np.ndarray:
        """Codes (n, 2) of tokens."""
        known = self.codes_or_none(tokens)
        return known[known[:, 0] >= 0]

    def codes_or_none(self, tokens: Iterable[Token]) -> np.ndarray:
        """Codes (n, 2) of n tokens; -1, -1 for one that is left out."""
        line = list(tokens)
        place = {name: index for index, name in enumerate(self.vocabulary.notes)}
        found = {keys: place.get(chord_name(keys)) for keys, _ in line}
        if self.nearest:
            unknown = [keys for keys, index in found.items() if index is None and keys]
            found |= dict(zip(unknown, self._nearest(unknown), strict=True))
        lengths = np.array(self.vocabulary.twelfths)
        length_place = {n: index for index, n in enumerate(lengths.tolist())}
        rows = []
        for keys, length in line:
            note, duration = found[keys], length_place.get(length)
            if duration is None and self.nearest:
                duration = int(np.abs(lengths - length).argmin())
            left_out = note is None or duration is None
            rows.append((-1, -1) if left_out else (note, duration))
        return np.array(rows, np.int64).reshape(-1, 2)

    def _nearest(self, chords: Sequence[tuple[int, ...]]) -> list[int | None]:
        """The known chord that shares most with each; the melody and the bass count more."""
        keys, top, bass = _known_keyboard(self.vocabulary.notes)
        size = keys.sum(axis=1)
        found: list[int | None] = []
        for first in range(0, len(chords), 1024):
            mine, highest, lowest = _keyboard(chords[first : first + 1024])
            shared = mine @ keys.T
            worth = 3 * shared - size + 2.5 * (highest @ top.T) + 1.5 * (lowest @ bass.T)
            worth[shared == 0] = -np.inf
            best = worth.argmax(axis=1)
            some = shared.max(axis=1, initial=0) > 0
            found += [int(b) if s else None for b, s in zip(best, some, strict=True)]
        return found

    def decode(self, codes: np.ndarray) -> NoteSequence:
        """The music, from 0 seconds on, at `qpm`; see the module about what is held."""
        voice = Voice(held=self.cut == "slices")
        lengths = self.vocabulary.twelfths
        notes: list[Note] = []
        scale = 60 / self.qpm / TWELFTHS
        for note, duration in np.asarray(codes, np.int64).reshape(-1, 2).tolist():
            ended = voice.play(chord_pitches(self.vocabulary.notes[note]), lengths[duration])
            notes += [Note(a * scale, b * scale, pitch) for a, b, pitch in ended]
        notes += [Note(a * scale, b * scale, pitch) for a, b, pitch in voice.close()]
        return NoteSequence(tuple(notes), self.qpm)


@lru_cache(maxsize=8)
def _known_keyboard(names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`_keyboard` of the chords of a vocabulary, which is asked for again and again."""
    found = _keyboard([chord_pitches(name) for name in names])
    for rows in found:
        rows.flags.writeable = False
    return found


def _keyboard(chords: Sequence[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each chord's keys, its highest and its lowest, as rows of 128 noughts and ones."""
    keys, top, bass = np.zeros((3, len(chords), 128), np.float32)
    for row, chord in enumerate(chords):
        if chord:
            keys[row, list(chord)] = 1
            top[row, chord[-1]] = bass[row, chord[0]] = 1
    return keys, top, bass


class Voice:
    """Tokens as they are played: says which notes have ended, in twelfths of a quarter note."""

    def __init__(self, held: bool = True) -> None:
        self.now = 0
        self.sounding: dict[int, int] = {}  # pitch: when it was struck
        self._held = held

    def held(self, keys: tuple[int, ...]) -> dict[int, int]:
        """What would sound on if `keys` came next, with when it was struck."""
        if not self._held or set(keys) == set(self.sounding):
            return {}
        return {
            pitch: since
            for pitch, since in self.sounding.items()
            if pitch in keys and self.now - since < _LONGEST_HELD
        }

    def struck(self, keys: tuple[int, ...]) -> tuple[int, ...]:
        """What would be struck if `keys` came next, lowest first."""
        held = self.held(keys)
        return tuple(pitch for pitch in keys if pitch not in held)

    def play(self, keys: tuple[int, ...], length: int) -> list[tuple[int, int, int]]:
        """Plays `keys` for `length`; gives the notes that end where they begin."""
        held = self.held(keys)
        ended = [(s, self.now, p) for p, s in self.sounding.items() if p not in held]
        self.sounding = {pitch: held.get(pitch, self.now) for pitch in keys}
        self.now += length
        return ended

    def close(self) -> list[tuple[int, int, int]]:
        """Ends what still sounds."""
        ended = [(since, self.now, pitch) for pitch, since in self.sounding.items()]
        self.sounding = {}
        return ended
