"""ABC text to music: repeats played, ties joined, voices together, whole notes to seconds.

Follows the ABC standard 2.1 for what a piano can play; `abc_reader` says where it differs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.abc.bars import Bar, Sound
from pyzzicato.formats.abc.order import in_parts, share_parts
from pyzzicato.formats.abc.ornaments import played
from pyzzicato.formats.abc.reader import Tune, read_tune
from pyzzicato.formats.abc.text import TuneText, music_lines, tunes_of
from pyzzicato.formats.abc.writer import write_abc
from pyzzicato.music.notes import Note, NoteSequence

__all__ = ["AbcMusic", "Repaired", "read_abc", "read_abc_tune", "repaired_abc", "titles_of_abc"]
__all__ += ["write_abc"]

_MAX_BYTES = 100_000  # of one tune
_MAX_TRIED = 100  # tunes of a file that are looked through for notes
_MAX_REPAIRED = 20_000  # characters
_MAX_NOTES = 50_000
_MAX_SECONDS = 30 * 60
_DEFAULT_QPM = 120.0

_Tempi = list[tuple[Fraction, float]]


class AbcMusic(NamedTuple):
    """The music of a tune, and a sentence for each thing that a person should know of it."""

    sequence: NoteSequence
    said: tuple[str, ...] = ()


def read_abc(text: str, tune: int | None = None) -> NoteSequence:
    """The music of a tune in ABC `text`, as `read_abc_tune` gives it."""
    return read_abc_tune(text, tune).sequence


def read_abc_tune(text: str, tune: int | None = None) -> AbcMusic:
    """The music of the first tune in ABC `text` that has notes, or of the one numbered `tune`.

    Tunes are counted from 1, as `titles_of_abc` lists them. Repeats are played, all voices start
    at second 0. Velocity is 80 until a dynamic sign changes it; without a Q: field the tempo is
    120 quarter notes per minute. A tune has at most 100 kB, 50,000 notes and 30 minutes. Raises
    UnreadableMusic with one plain sentence where the text is not ABC, is too long, or holds no
    notes, or where there is no such tune.
    """
    tunes = tunes_of(text)
    if tune is not None:
        if not 1 <= tune <= len(tunes):
            raise UnreadableMusic(f"There is no tune {tune}: choose one from 1 to {len(tunes)}.")
        return _music(tunes[tune - 1])
    if len(tunes) == 1:
        return _music(tunes[0])
    problem: UnreadableMusic | None = None
    sounding = ((number, t) for number, t in enumerate(tunes, start=1) if t.may_sound)
    for number, found in islice(sounding, _MAX_TRIED):
        try:
            music, said = _music(found)
        except UnreadableMusic as error:
            problem = problem or error
            continue
        which = f"The text holds {len(tunes)} tunes; this is number {number}, {found.title}."
        unread = () if problem is None else (f"A tune before it cannot be read: {problem}",)
        return AbcMusic(music, (which, *unread, *said))
    raise problem or UnreadableMusic("The ABC text holds no notes to play.")


def titles_of_abc(text: str) -> tuple[str, ...]:
    """What the tunes of an ABC text are called, in order."""
    return tuple(tune.title for tune in tunes_of(text))


def _music(text: TuneText) -> AbcMusic:
    """A whole tune; raises UnreadableMusic."""
    size = sum(len(line.text.encode("utf-8", errors="replace")) for line in text.body)
    if size > _MAX_BYTES:
        raise UnreadableMusic("The ABC tune is larger than 100 kB; give a shorter one.")
    tune = read_tune(text.lines)
    clock, sounds = _performed(tune, repeats=True)
    if not sounds:
        raise UnreadableMusic("The ABC text holds no notes to play.")
    notes = _notes(clock, sounds)
    if max(note.end for note in notes) > _MAX_SECONDS:
        raise UnreadableMusic("The ABC music lasts longer than 30 minutes; give a shorter one.")
    return AbcMusic(NoteSequence(tuple(notes), qpm=clock.first_qpm), tuple(tune.dropped))


class Repaired(NamedTuple):
    """What could be read of a text, and a sentence for each thing that was left out."""

    sequence: NoteSequence
    dropped: tuple[str, ...]


def repaired_abc(text: str) -> Repaired:
    """The music of the first tune in `text`, leaving out what makes no sense: never raises.

    For what a network wrote. Of the text the first 20,000 characters are read; without a K: line
    it is read in C. The sequence is empty where there is nothing to play.
    """
    tune = read_tune(music_lines(text[:_MAX_REPAIRED]), patient=True)
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
    written = [voice.finish() for voice in tune.voices.values()]
    share_parts(written)
    sounds: list[Sound] = []
    for bars in written:
        order = in_parts(bars, tune.parts) if repeats else bars
        unrolled, changes = _unroll(order, _MAX_NOTES - len(sounds))
        sounds += unrolled
        tempi += changes
    clock = _Clock(tempi)
    return clock, _ornamented(clock, sounds)


def _ornamented(clock: _Clock, sounds: Iterable[Sound]) -> list[Sound]:
    """The sounds with those of their trills and rolls."""
    everything: list[Sound] = []
    for sound in sounds:
        everything += played(sound, clock.qpm(sound.offset))
        if len(everything) > _MAX_NOTES:
            raise _too_many_notes()
    return everything


def _too_many_notes() -> UnreadableMusic:
    return UnreadableMusic("The ABC music has more than 50,000 notes; give a shorter one.")


def _notes(clock: _Clock, sounds: Iterable[Sound]) -> list[Note]:
    return _without_doubles(_timed(clock, sounds))


def _timed(clock: _Clock, sounds: Iterable[Sound]) -> Iterator[Note]:
    for s in sounds:
        end = s.offset + s.duration * s.share
        yield Note(clock.seconds(s.offset), clock.seconds(end), s.pitch, s.velocity)


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

    def qpm(self, time: Fraction) -> float:
        """Quarter notes a minute at `time` in whole notes."""
        return 240.0 / self._rates[bisect_right(self._times, time) - 1]

    def seconds(self, time: Fraction) -> float:
        """Seconds from the start to `time` in whole notes."""
        index = bisect_right(self._times, time) - 1
        return self._seconds[index] + float(time - self._times[index]) * self._rates[index]


def _unroll(bars: list[Bar], limit: int) -> tuple[list[Sound], _Tempi]:
    """The sounds of `bars` one after another, ties joined, and the changes of tempo."""
    sounds: list[Sound] = []
    tempi: _Tempi = []
    start = Fraction(0)
    for bar in bars:
        tempi += [(start + offset, qpm) for offset, qpm in bar.tempi]
        sounds += [replace(sound, offset=start + sound.offset) for sound in bar.sounds]
        if len(sounds) > limit:
            raise _too_many_notes()
        start += bar.length
    return _join_ties(sounds), tempi


def _join_ties(sounds: list[Sound]) -> list[Sound]:
    """One long sound for each chain of tied sounds of the same pitch.

    An ornament goes on through the chain; one that begins within it begins there.
    """
    joined: list[Sound] = []
    waiting: dict[int, Sound] = {}
    for sound in sorted(sounds, key=lambda s: s.offset):
        before = waiting.pop(sound.pitch, None)
        if before is not None and _goes_on(before, sound):
            before.duration += sound.duration
            before.share = sound.share
        else:
            before = sound
            joined.append(sound)
        if sound.tied:
            waiting[sound.pitch] = before
    return joined


def _goes_on(before: Sound, sound: Sound) -> bool:
    ends_there = before.offset + before.duration == sound.offset
    return ends_there and (sound.ornament is None or before.ornament is not None)


def _without_doubles(notes: Iterable[Note]) -> list[Note]:
    """Of notes on the same key at the same moment only the longest: a piano has one such key."""
    longest: dict[tuple[float, int], Note] = {}
    for note in notes:
        other = longest.get((note.start, note.pitch))
        if other is None or other.end < note.end:
            longest[note.start, note.pitch] = note
    return list(longest.values())
