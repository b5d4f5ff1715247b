"""One voice of ABC music while it is read: bars of sounds, with lengths in whole notes.

A `Voice` is told what stands in the text, in order, and keeps what ABC makes depend on it:
accidentals until the bar line, ties, broken rhythm, tuplets, grace notes, dynamics.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from pyzzicato.abc_fields import Key, Meter, Staff
from pyzzicato.errors import UnreadableMusic

__all__ = ["Bar", "Settings", "Sound", "Spelling", "Voice"]

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_TUPLET_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_GRACE = Fraction(1, 4)  # of the unit length
_LETTERS = "CDEFGAB"
_TRILL = Fraction(1, 32)  # each note of a trill
_MOST_TRILLED = 256
_ZERO = Fraction(0)


@dataclass(slots=True)
class Sound:
    """One sounding note of a bar: where it starts in the bar, how long, how high, how loud."""

    offset: Fraction
    duration: Fraction
    pitch: int
    velocity: int
    tied: bool = False


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
class Settings:
    """What the fields of a tune say at one place."""

    key: Key = field(default_factory=Key)
    meter: Meter = field(default_factory=Meter)
    unit: Fraction | None = None
    staff: Staff = field(default_factory=Staff)

    @property
    def unit_length(self) -> Fraction:
        """The unit length in whole notes, from L: or else from the metre."""
        return self.unit or self.meter.default_unit


@dataclass(frozen=True, slots=True)
class Spelling:
    """A note as it is written: letter A-G, octave (4 holds middle C), accidental or None."""

    letter: str
    octave: int
    accidental: int | None
    length: Fraction = Fraction(1)
    tied: bool = False


@dataclass(slots=True)
class Voice:
    """The state of one voice; the methods are called in the order of the text."""

    settings: Settings
    bars: list[Bar] = field(default_factory=list)
    bar: Bar = field(default_factory=Bar)
    cursor: Fraction = _ZERO
    velocity: int = 80
    part: str = ""
    _accidentals: dict[str, int] = field(default_factory=dict)
    _ties: dict[tuple[str, int], int] = field(default_factory=dict)
    _ties_before_ending: dict[tuple[str, int], int] = field(default_factory=dict)
    _last: list[tuple[Sound, Spelling]] = field(default_factory=list)
    _last_start: Fraction | None = None
    _last_index: int = 0  # of the first sound in the bar that belongs to the last note
    _broken: Fraction | None = None
    _tuplet: Fraction = Fraction(1)
    _tuplet_left: int = 0
    _graces: list[Spelling] = field(default_factory=list)
    _ornament: str = ""

    def change_key(self, key: Key) -> None:
        """A new key from here on, which also ends the accidentals of the bar."""
        self.settings = replace(self.settings, key=key)
        self._accidentals.clear()

    def _pitch(self, spelling: Spelling) -> int:
        place = (spelling.letter, spelling.octave)
        if spelling.accidental is not None:
            self._accidentals[spelling.letter] = spelling.accidental
            alteration = spelling.accidental
        elif place in self._ties:
            alteration = self._ties[place]
        else:
            by_key = self.settings.key.alterations.get(spelling.letter, 0)
            alteration = self._accidentals.get(spelling.letter, by_key)
        base = 12 * (spelling.octave + 1) + _SEMITONES[spelling.letter] + alteration
        pitch = base + self.settings.staff.semitones
        if not 0 <= pitch <= 127:
            raise UnreadableMusic("A note is too high or too low to be played.")
        return pitch

    def _factor(self) -> Fraction:
        """What broken rhythm and a tuplet make of the next length; used up by asking."""
        factor = Fraction(1)
        if self._broken is not None:
            factor, self._broken = self._broken, None
        if self._tuplet_left:
            self._tuplet_left -= 1
            factor *= self._tuplet
        return factor

    def _advance(self, duration: Fraction) -> None:
        self._last_start = self.cursor
        self.cursor += duration
        self.bar.length = max(self.bar.length, self.cursor)

    def play(self, spellings: list[Spelling], length: Fraction) -> None:
        """A note or chord; `length` multiplies the length of each note, the first one counts."""
        factor = self.settings.unit_length * length * self._factor()
        whole = spellings[0].length * factor
        self._last_index = len(self.bar.sounds)
        delay = self._play_graces(whole)
        sounds = [
            Sound(self.cursor + delay, s.length * factor - delay, self._pitch(s), self.velocity)
            for s in spellings
        ]
        for sound in sounds:  # a chord note shorter than the grace notes before it
            sound.duration = max(sound.duration, delay or sound.duration)
        self._ties = {}
        self._last = list(zip(sounds, spellings, strict=True))
        self.bar.sounds.extend(self._ornamented(sounds, spellings))
        self._advance(whole)
        for index, spelling in enumerate(spellings):
            if spelling.tied:
                self._tie(index)

    def _play_graces(self, whole: Fraction) -> Fraction:
        """Play the waiting grace notes in at most half of `whole`; the time they take."""
        if not self._graces:
            return _ZERO
        lengths = [g.length * _GRACE * self.settings.unit_length for g in self._graces]
        squeeze = min(Fraction(1), whole / (2 * sum(lengths)))
        start = self.cursor
        for grace, length in zip(self._graces, lengths, strict=True):
            sound = Sound(start, length * squeeze, self._pitch(grace), self.velocity)
            self.bar.sounds.append(sound)
            start += sound.duration
        self._graces = []
        return start - self.cursor

    def ornament(self, kind: str) -> None:
        """The next note is played with a "trill" or a "roll"."""
        self._ornament = kind

    def _ornamented(self, sounds: list[Sound], spellings: list[Spelling]) -> list[Sound]:
        """A single note with its ornament, as abc2midi plays it; anything else as it is."""
        kind, self._ornament = self._ornament, ""
        if not kind or len(sounds) != 1:
            return sounds
        sound, unit = sounds[0], self.settings.unit_length
        above, below = (self._beside(spellings[0], steps) for steps in (1, -1))
        pairs: list[tuple[int, Fraction]] = []
        if kind == "trill":
            count = min(int(sound.duration / _TRILL), _MOST_TRILLED)
            pairs = [(above if n % 2 == 0 else sound.pitch, _TRILL) for n in range(count)]
        elif sound.duration == 3 * unit:  # the roll of a jig
            short, rest = unit / 4, unit * 3 / 4
            pairs = [(sound.pitch, unit), (above, short), (sound.pitch, rest), (below, short)]
        elif sound.duration >= unit:
            pairs = [(above, unit / 4)]
        played, start = [], sound.offset
        for pitch, length in pairs:
            played.append(Sound(start, length, pitch, sound.velocity))
            start += length
        sound.duration -= start - sound.offset
        sound.offset = start
        return [*played, sound] if sound.duration else played

    def _beside(self, spelling: Spelling, steps: int) -> int:
        """The pitch of the next note of the scale upwards (1) or downwards (-1)."""
        place = _LETTERS.index(spelling.letter) + steps
        octave = spelling.octave + place // 7
        return self._pitch(Spelling(_LETTERS[place % 7], octave, None))

    def rest(self, length: Fraction) -> None:
        """A rest of `length` units."""
        duration = self.settings.unit_length * length * self._factor()
        self._ties, self._last, self._last_index = {}, [], len(self.bar.sounds)
        self._advance(duration)

    def whole_bars_rest(self, count: int) -> None:
        """A rest of `count` bars, kept as one bar."""
        self._ties, self._last, self._last_index = {}, [], len(self.bar.sounds)
        self._advance((self.settings.meter.bar or Fraction(1)) * count)

    def grace(self, spellings: list[Spelling]) -> None:
        """Grace notes, which take their time from the note that follows."""
        self._graces = spellings

    def _tie(self, index: int) -> None:
        sound, spelling = self._last[index]
        sound.tied = True
        place = (spelling.letter, spelling.octave)
        natural = 12 * (spelling.octave + 1) + _SEMITONES[spelling.letter]
        self._ties[place] = sound.pitch - natural - self.settings.staff.semitones

    def tie(self) -> None:
        """Tie the last note or chord to the next."""
        for index in range(len(self._last)):
            self._tie(index)

    def break_rhythm(self, sign: str) -> None:
        """Lengthen the last note by ">" and shorten the next, or the other way with "<"."""
        if self._last_start is None or len(sign) > 3 or self._broken is not None:
            raise UnreadableMusic(f"“{sign[:10]}” has to stand between two notes.")
        short = Fraction(1, 2 ** len(sign))
        first, self._broken = (2 - short, short) if sign[0] == ">" else (short, 2 - short)
        start = self._last_start
        shrunk = self.bar.length == self.cursor
        self.cursor = start + (self.cursor - start) * first
        self.bar.length = self.cursor if shrunk else max(self.bar.length, self.cursor)
        for sound in self.bar.sounds[self._last_index :]:
            sound.offset = start + (sound.offset - start) * first
            sound.duration *= first

    def tuplet(self, notes: int, time: int | None, count: int | None) -> None:
        """The next `count` notes play `notes` in the time of `time`."""
        odd_time = 3 if self.settings.meter.compound else 2
        self._tuplet = Fraction(time or _TUPLET_TIME.get(notes, odd_time), notes)
        self._tuplet_left = count or notes

    def overlay(self) -> None:
        """Go back to the start of the bar: what follows sounds together with it."""
        self.cursor = _ZERO
        self._accidentals.clear()
        self._ties, self._last, self._last_start = {}, [], None

    def tempo(self, qpm: float) -> None:
        """A new tempo from here on."""
        self.bar.tempi.append((self.cursor, qpm))

    def end_bar(self, times: int = 1, repeat_start: bool = False, double: bool = False) -> None:
        """A bar line; `times` above 1 at the end of a repeat."""
        if not self.bar.empty:
            self.bars.append(self.bar)
            self.bar = Bar(part=self.part)
        if times > 1 and self.bars:
            self.bars[-1].times = max(self.bars[-1].times, times)
        self.bar.repeat_start |= repeat_start
        self.bar.after_double |= double
        self.cursor = _ZERO
        self._last_start = None
        self._accidentals.clear()

    def start_part(self, name: str) -> None:
        """The start of the part `name`, which the header may ask for in any order."""
        if not self.bar.empty:
            self.end_bar()
        self.part = self.bar.part = name

    def ending(self, numbers: frozenset[int]) -> None:
        """The start of the endings `numbers`, [1 or [2."""
        if not self.bar.empty:
            self.end_bar()
        if 1 in numbers:
            self._ties_before_ending = dict(self._ties)
        else:
            self._ties = dict(self._ties_before_ending)
        self.bar.endings = numbers

    def finish(self) -> list[Bar]:
        """The bars of the voice, the last one closed."""
        self.end_bar()
        return self.bars
