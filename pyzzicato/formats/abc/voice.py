"""One voice of ABC music while it is read: bars of sounds, with lengths in whole notes.

A `Voice` is told what stands in the text, in order, and keeps what ABC makes depend on it:
accidentals until the bar line, ties, broken rhythm, tuplets, grace notes, decorations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.abc.bars import Bar, Ornament, Sound, Spelling
from pyzzicato.formats.abc.fields import Key, Meter, Staff
from pyzzicato.formats.abc.touch import Touch

__all__ = ["Settings", "Voice"]

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_TUPLET_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_GRACE = Fraction(1, 4)  # of the unit length
_LETTERS = "CDEFGAB"
_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the fields of a tune say at one place.

    `accidentals` is how far they reach in a bar: "pitch" in every octave, "octave" in their own,
    "not" nowhere but at their note.
    """

    key: Key = field(default_factory=Key)
    meter: Meter = field(default_factory=Meter)
    unit: Fraction | None = None
    staff: Staff = field(default_factory=Staff)
    accidentals: str = "pitch"

    @property
    def unit_length(self) -> Fraction:
        """The unit length in whole notes, from L: or else from the metre."""
        return self.unit or self.meter.default_unit


@dataclass(slots=True)
class _Struck:
    """A note, chord or rest that was read: `whole` is its length, `graces` stand before it.

    `lengths` are those of its notes, with the time that the graces take from them.
    """

    start: Fraction
    whole: Fraction
    spellings: Sequence[Spelling] = ()
    sounds: list[Sound] = field(default_factory=list)
    lengths: list[Fraction] = field(default_factory=list)
    graces: list[tuple[list[Sound], Fraction]] = field(default_factory=list)

    def place(self) -> None:
        """Give every sound its time; graces that would take it all take half of the whole."""
        wanted = sum((length for _, length in self.graces), _ZERO)
        squeeze = self.whole / (2 * wanted) if wanted >= self.whole else Fraction(1)
        time = self.start
        for sounds, length in self.graces:
            for sound in sounds:
                sound.offset, sound.duration = time, length * squeeze
            time += length * squeeze
        delay = time - self.start
        for sound, length in zip(self.sounds, self.lengths, strict=True):
            # A note of a chord may be shorter than the grace notes before it.
            sound.offset, sound.duration = time, length - delay if length > delay else delay

    def stretch(self, factor: Fraction) -> None:
        """Make it longer or shorter, as broken rhythm does; the graces keep their time."""
        self.whole *= factor
        self.lengths = [length * factor for length in self.lengths]
        self.place()


@dataclass(slots=True)
class Voice:
    """The state of one voice; the methods are called in the order of the text."""

    settings: Settings
    bars: list[Bar] = field(default_factory=list)
    bar: Bar = field(default_factory=Bar)
    cursor: Fraction = _ZERO
    touch: Touch = field(default_factory=Touch)
    part: str = ""
    _ahead: list[Bar] = field(default_factory=list)  # bars that an overlay comes to again
    _accidentals: dict[tuple[str, int], int] = field(default_factory=dict)
    _ties: dict[tuple[str, int], int] = field(default_factory=dict)
    _ties_before_ending: dict[tuple[str, int], int] = field(default_factory=dict)
    _last: _Struck | None = None
    _broken: Fraction | None = None
    _tuplet: Fraction = Fraction(1)
    _tuplet_left: int = 0
    _graces: list[list[Spelling]] = field(default_factory=list)

    def change_key(self, key: Key) -> None:
        """A new key from here on, which also ends the accidentals of the bar."""
        self.settings = replace(self.settings, key=key)
        self._accidentals.clear()

    def _pitch(self, spelling: Spelling) -> int:
        place = (spelling.letter, spelling.octave)
        reach = self.settings.accidentals
        reached = place if reach == "octave" else (spelling.letter, 0)
        if spelling.accidental is not None:
            if reach != "not":
                self._accidentals[reached] = spelling.accidental
            alteration = spelling.accidental
        elif place in self._ties:
            alteration = self._ties[place]
        else:
            by_key = self.settings.key.alterations.get(spelling.letter, 0)
            alteration = self._accidentals.get(reached, by_key)
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

    def play(self, spellings: list[Spelling], length: Fraction) -> None:
        """A note or chord; `length` multiplies the length of each note, the first one counts."""
        unit = self.settings.unit_length
        factor = unit * length * self._factor()
        graces = [
            ([self._sound(g) for g in chord], chord[0].length * _GRACE * unit)
            for chord in self._graces
        ]
        sounds = [self._sound(spelling) for spelling in spellings]
        if len(sounds) == 1 and self.touch.ornament:
            above, below = (self._beside(spellings[0], steps) for steps in (1, -1))
            sounds[0].ornament = Ornament(self.touch.ornament, above, below, unit)
        lengths = [spelling.length * factor for spelling in spellings]
        struck = _Struck(self.cursor, lengths[0], spellings, sounds, lengths, graces)
        struck.place()
        before = [sound for chord, _ in graces for sound in chord]
        self.touch.play(sounds, before)
        self.bar.sounds += [*before, *sounds]
        self._ties, self._graces = {}, []
        self._go_on(struck)
        for index, spelling in enumerate(spellings):
            if spelling.tied:
                self._tie(struck, index)

    def _sound(self, spelling: Spelling) -> Sound:
        """A sound of the right pitch, without time and touch."""
        return Sound(_ZERO, _ZERO, self._pitch(spelling), self.touch.velocity)

    def _go_on(self, struck: _Struck) -> None:
        self._last = struck
        self.cursor = struck.start + struck.whole

    def _beside(self, spelling: Spelling, steps: int) -> int:
        """The pitch of the next note of the scale upwards (1) or downwards (-1)."""
        place = _LETTERS.index(spelling.letter) + steps
        octave = spelling.octave + place // 7
        return self._pitch(Spelling(_LETTERS[place % 7], octave, None))

    def rest(self, length: Fraction) -> None:
        """A rest of `length` units; grace notes before it are not played."""
        self._rest(self.settings.unit_length * length * self._factor())

    def whole_bars_rest(self, count: int) -> None:
        """A rest of `count` bars, kept as one bar."""
        self._rest((self.settings.meter.bar or Fraction(1)) * count)

    def _rest(self, duration: Fraction) -> None:
        self._ties, self._graces = {}, []
        self.touch.forget()
        self._go_on(_Struck(self.cursor, duration))

    def grace(self, chords: list[list[Spelling]]) -> None:
        """Grace notes or chords, which take their time from the note that follows."""
        self._graces = chords

    def _tie(self, struck: _Struck, index: int) -> None:
        sound, spelling = struck.sounds[index], struck.spellings[index]
        sound.tied = True
        place = (spelling.letter, spelling.octave)
        natural = 12 * (spelling.octave + 1) + _SEMITONES[spelling.letter]
        self._ties[place] = sound.pitch - natural - self.settings.staff.semitones

    def tie(self) -> None:
        """Tie the last note or chord to the next."""
        if self._last is not None:
            for index in range(len(self._last.sounds)):
                self._tie(self._last, index)

    def break_rhythm(self, sign: str) -> None:
        """Lengthen the last note by ">" and shorten the next, or the other way with "<"."""
        if self._last is None or len(sign) > 3 or self._broken is not None:
            raise UnreadableMusic(f"“{sign[:10]}” has to stand between two notes.")
        short = Fraction(1, 2 ** len(sign))
        first, self._broken = (2 - short, short) if sign[0] == ">" else (short, 2 - short)
        self._last.stretch(first)
        self._go_on(self._last)

    def tuplet(self, notes: int, time: int | None, count: int | None) -> None:
        """The next `count` notes play `notes` in the time of `time`."""
        odd_time = 3 if self.settings.meter.compound else 2
        self._tuplet = Fraction(time or _TUPLET_TIME.get(notes, odd_time), notes)
        self._tuplet_left = count or notes

    def overlay(self, count: int) -> None:
        """Go back by `count` bar lines: what follows sounds together with what is there.

        From within a bar the first of them is the one before it. Further back than to the first
        bar it does not go.
        """
        back = count if not self.cursor else count - 1
        self._close_time()
        place = max(0, len(self.bars) - back)
        self._ahead = [*self.bars[place:], self.bar, *self._ahead]
        self.bars, self.bar = self.bars[:place], self._ahead.pop(0)
        self._ties = {}

    def _close_time(self) -> None:
        """The bar is as long as the longest of what sounds together in it."""
        self.bar.length = max(self.bar.length, self.cursor)
        self.cursor = _ZERO
        self._last = None
        self._accidentals.clear()
        self.touch.forget()

    def tempo(self, qpm: float) -> None:
        """A new tempo from here on."""
        self.bar.tempi.append((self.cursor, qpm))

    def end_bar(self, times: int = 1, repeat_start: bool = False, double: bool = False) -> None:
        """A bar line; `times` above 1 at the end of a repeat."""
        self._close_time()
        if self._ahead:
            self.bars.append(self.bar)
            self.bar = self._ahead.pop(0)
        elif not self.bar.empty:
            self.bars.append(self.bar)
            self.bar = Bar(part=self.part)
        if times > 1 and self.bars:
            self.bars[-1].times = max(self.bars[-1].times, times)
        self.bar.repeat_start |= repeat_start
        self.bar.after_double |= double

    def start_part(self, name: str) -> None:
        """The start of the part `name`, which the header may ask for in any order."""
        if self.cursor:
            self.end_bar()
        self.part = self.bar.part = name

    def ending(self, numbers: frozenset[int]) -> None:
        """The start of the endings `numbers`, [1 or [2."""
        if self.cursor:
            self.end_bar()
        if 1 in numbers:
            self._ties_before_ending = dict(self._ties)
        else:
            self._ties = dict(self._ties_before_ending)
        self.bar.endings = numbers

    def finish(self) -> list[Bar]:
        """The bars of the voice, the last one closed."""
        self._close_time()
        last = [bar for bar in (self.bar, *self._ahead) if not bar.empty]
        self.bars, self._ahead, self.bar = [*self.bars, *last], [], Bar(part=self.part)
        return self.bars
