"""ABC text to music: repeats played, ties joined, voices together, whole notes to seconds.

Follows the ABC standard 2.1 for what a piano can play; `abc_reader` says where it differs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from pyzzicato.abc_reader import Tune, read_tune
from pyzzicato.abc_voice import Bar, Sound
from pyzzicato.abc_writer import write_abc
from pyzzicato.errors import UnreadableMusic
from pyzzicato.notes import Note, NoteSequence

__all__ = ["Repaired", "read_abc", "repaired_abc", "write_abc"]

_MAX_BYTES = 100_000
_MAX_REPAIRED = 20_000  # characters
_MAX_NOTES = 50_000
_MAX_SECONDS = 30 * 60
_DEFAULT_QPM = 120.0

_Tempi = list[tuple[Fraction, float]]


def read_abc(text: str) -> NoteSequence:
    """The music of the first tune in ABC `text`, repeats played, all voices from second 0.

    Velocity is 80 until a dynamic sign changes it; without a Q: field the tempo is 120 quarter
    notes per minute. At most 100 kB, 50,000 notes and 30 minutes. Raises UnreadableMusic with
    one plain sentence where the text is not ABC, is too long, or holds no notes.
    """
    if len(text.encode("utf-8", errors="replace")) > _MAX_BYTES:
        raise UnreadableMusic("The ABC text is larger than 100 kB; give one tune at a time.")
    tune = read_tune(text)
    clock, sounds = _performed(tune, repeats=True)
    if not sounds:
        raise UnreadableMusic("The ABC text holds no notes to play.")
    notes = _notes(clock, sounds)
    if max(note.end for note in notes) > _MAX_SECONDS:
        raise UnreadableMusic("The ABC music lasts longer than 30 minutes; give a shorter one.")
    return NoteSequence(tuple(notes), qpm=clock.first_qpm)


class Repaired(NamedTuple):
    """What could be read of a text, and a sentence for each thing that was left out."""

    sequence: NoteSequence
    dropped: tuple[str, ...]


def repaired_abc(text: str) -> Repaired:
    """The music of the first tune in `text`, leaving out what makes no sense: never raises.

    For what a network wrote. Of the text the first 20,000 characters are read; without a K: line
    it is read in C. The sequence is empty where there is nothing to play.
    """
    tune = read_tune(text[:_MAX_REPAIRED], patient=True)
    dropped = tune.dropped
    if len(text) > _MAX_REPAIRED:
        dropped.append(f"What comes after {_MAX_REPAIRED:,} characters is left out.")
    try:
        clock, sounds = _performed(tune, repeats=True)
    except UnreadableMusic as error:
        dropped.append(f"The repeats are left out: {error}")
        clock, sounds = _performed(tune, repeats=False)
    notes = _notes(clock, sounds)
    kept = [note for note in notes if note.end <= _MAX_SECONDS]
    if len(kept) < len(notes):
        dropped.append("What comes after 30 minutes is left out.")
    if not kept:
        dropped.append("There are no notes to play.")
    return Repaired(NoteSequence(tuple(kept), qpm=clock.first_qpm), tuple(dropped))


def _performed(tune: Tune, repeats: bool) -> tuple[_Clock, list[Sound]]:
    """Every sound of a tune as it is played, times in whole notes, and the clock for them."""
    tempi: _Tempi = [(Fraction(0), tune.qpm or _DEFAULT_QPM)]
    sounds: list[Sound] = []
    for voice in tune.voices.values():
        bars = voice.finish()
        played, changes = _unroll(
            _in_parts(bars, tune.parts) if repeats else bars, _MAX_NOTES - len(sounds)
        )
        sounds += played
        tempi += changes
    return _Clock(tempi), sounds


def _notes(clock: _Clock, sounds: Iterable[Sound]) -> list[Note]:
    return _without_doubles(
        Note(clock.seconds(s.offset), clock.seconds(s.offset + s.duration), s.pitch, s.velocity)
        for s in sounds
    )


class _Clock:
    """Turns times in whole notes into seconds, through the changes of tempo on the way."""

    def __init__(self, tempi: _Tempi) -> None:
        by_time = dict(sorted(tempi, key=lambda change: change[0]))
        self._times = list(by_time)
        self._rates = [240.0 / qpm for qpm in by_time.values()]  # seconds for a whole note
        self.first_qpm = next(iter(by_time.values()))
        self._seconds = [0.0]
        for index in range(1, len(self._times)):
            passed = float(self._times[index] - self._times[index - 1]) * self._rates[index - 1]
            self._seconds.append(self._seconds[-1] + passed)

    def seconds(self, time: Fraction) -> float:
        """Seconds from the start to `time` in whole notes."""
        index = bisect_right(self._times, time) - 1
        return self._seconds[index] + float(time - self._times[index]) * self._rates[index]


def _in_parts(bars: list[Bar], parts: str) -> list[Bar]:
    """The bars as they are played: part after part where the header gives an order."""
    named: dict[str, list[Bar]] = {}
    for bar in bars:
        named.setdefault(bar.part, []).append(bar)
    if not parts or len(named) == 1:
        return _playing_order(bars)
    orders = {name: _playing_order(part) for name, part in named.items()}
    return [bar for name in ("", *parts) for bar in orders.get(name, [])]


def _unroll(bars: list[Bar], limit: int) -> tuple[list[Sound], _Tempi]:
    """The sounds of `bars` one after another, ties joined, and the changes of tempo."""
    sounds: list[Sound] = []
    tempi: _Tempi = []
    start = Fraction(0)
    for bar in bars:
        tempi += [(start + offset, qpm) for offset, qpm in bar.tempi]
        sounds += [
            Sound(start + s.offset, s.duration, s.pitch, s.velocity, s.tied) for s in bar.sounds
        ]
        if len(sounds) > limit:
            raise UnreadableMusic("The ABC music has more than 50,000 notes; give a shorter one.")
        start += bar.length
    return _join_ties(sounds), tempi


def _last_endings(bars: list[Bar]) -> list[int]:
    """For each bar, the highest ending number that still comes in the same repeat; 0 if none."""
    highest = 0
    result = []
    for bar in reversed(bars):
        highest = max(highest, *bar.endings, 0)
        result.append(highest)
        if bar.repeat_start or 1 in bar.endings:
            highest = 0
    return result[::-1]


def _playing_order(bars: list[Bar]) -> list[Bar]:
    """The bars in the order they are played, each repeat with its endings."""
    last_endings = _last_endings(bars)
    order: list[Bar] = []
    section = index = 0
    run = 1  # which time the section is being played
    in_ending = skipping = False
    opened = bool(bars and bars[0].repeat_start)  # whether |: began the section
    while index < len(bars):
        bar = bars[index]
        if index != section and (bar.repeat_start or _begins(bar, section, run, in_ending, opened)):
            section, run, in_ending, skipping = index, 1, False, False
            opened = bar.repeat_start
        if bar.endings:
            in_ending = True
            skipping = run not in bar.endings
        if not skipping:
            order.append(bar)
        index += 1
        if bar.times == 1:
            continue
        wanted = max(bar.times, last_endings[index - 1] if in_ending else 0)
        wanted = max(wanted, _coming(bars, last_endings, index))
        if not skipping and run < wanted:
            index, run, in_ending = section, run + 1, False
        elif not skipping:
            section, run, in_ending = index, 1, False
            opened = index < len(bars) and bars[index].repeat_start
        skipping = False
    return order


def _begins(bar: Bar, section: int, run: int, in_ending: bool, opened: bool) -> bool:
    """Whether a double bar is where a repeat begins that has no |: of its own.

    It does after the last ending of a repeat, and after an earlier repeat where no other one is
    open; the first repeat of a tune without |: begins with the tune.
    """
    if not bar.after_double:
        return False
    if in_ending:
        return run > 1 and not (bar.endings and 1 not in bar.endings)
    return run == 1 and section > 0 and not opened


def _coming(bars: list[Bar], last_endings: list[int], index: int) -> int:
    """The highest ending number of the chain that goes on with the bar `index`, or 0."""
    going_on = index < len(bars) and bars[index].endings and 1 not in bars[index].endings
    return last_endings[index] if going_on else 0


def _join_ties(sounds: list[Sound]) -> list[Sound]:
    """One long sound for each chain of tied sounds of the same pitch."""
    joined: list[Sound] = []
    waiting: dict[int, Sound] = {}
    for sound in sorted(sounds, key=lambda s: s.offset):
        before = waiting.pop(sound.pitch, None)
        if before is not None and before.offset + before.duration == sound.offset:
            before.duration += sound.duration
        else:
            before = sound
            joined.append(sound)
        if sound.tied:
            waiting[sound.pitch] = before
    return joined


def _without_doubles(notes: Iterable[Note]) -> list[Note]:
    """Of notes on the same key at the same moment only the longest: a piano has one such key."""
    longest: dict[tuple[float, int], Note] = {}
    for note in notes:
        other = longest.get((note.start, note.pitch))
        if other is None or other.end < note.end:
            longest[note.start, note.pitch] = note
    return list(longest.values())
