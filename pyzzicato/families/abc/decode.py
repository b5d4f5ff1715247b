"""Follows a text of ABC while it is written: which tune it is in, and what each one plays.

A tune is over at an empty line, at the X: of the next one, or after `LONGEST` characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pyzzicato.formats.abc.notation import repaired_abc
from pyzzicato.formats.abc.tune_book import HEAD, is_played
from pyzzicato.generation.generator import Step
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note

__all__ = ["LONGEST", "TuneReader"]

LONGEST = 2500  # characters of a tune
BREATH = 0.5  # seconds between two tunes
NEWS = 0.5  # seconds of music told at a time
REMARKS = 3  # on a tune
_MOST = 4000, 100  # characters in all, and more of them for each second


class TuneReader:
    """One take: text goes in, steps come out, up to exactly `seconds`.

    `characters` above 0 ends the text there; `header` is the one of a tune that has begun.
    `tune` is what was written of the tune that is being written, without that header.
    """

    def __init__(self, seconds: float, characters: int = 0, header: str = "") -> None:
        self.tune = ""
        self.time = 0.0
        self.done = False
        self._seconds = seconds
        self._left = characters or int(_MOST[0] + _MOST[1] * seconds)
        self._header = header
        self._told = 0  # characters of `tune` that were told

    @property
    def whole(self) -> str:
        """The tune that is being written, with its header."""
        return self._header + self.tune

    def add(self, text: str) -> Iterator[Step]:
        """The news after some more characters; nothing once it is done."""
        for character in text:
            if self.done:
                return
            self.tune += character
            self._left -= 1
            if self._left <= 0 or len(self.tune) >= LONGEST:
                yield from self._end(self.tune)
            elif character == "\n":
                yield from self._line()
            elif self.tune.endswith("\nX:") and "\nK:" in self._header + self.tune:
                self.tune = self.tune.removesuffix("X:")  # the next tune, without an empty line
                yield from self._end(self.tune)
                self.tune = "X:"

    def _line(self) -> Iterator[Step]:
        lines = self.tune.rsplit("\n", 2)
        if len(lines) == 3 and not lines[1].strip() and self.tune.strip():
            yield from self._end(self.tune)
        elif not self.tune.strip():
            yield self._news()
            self.tune, self._told = "", 0
        else:
            yield self._news()

    def _news(self, more: str = "") -> Step:
        """A step that tells the text since the last one, and nothing else."""
        new = self.tune[self._told :] + more
        self._told = len(self.tune)
        return Step((), self.time, 0, new)

    def _end(self, tune: str) -> Iterator[Step]:
        """The tune is over: its notes, and a new one begins."""
        head = self._header
        if not head and not re.search(r"^K:", tune, re.MULTILINE):
            head = HEAD
        notes, remarks = _heard(head + tune)
        said = "".join(f"% {remark}\n" for remark in remarks)
        # A comment stands on a line of its own, and an empty line ends a tune that was cut off.
        ended = "\n" * max(0, 2 - len(tune) + len(tune.rstrip("\n")))
        yield self._news(ended + said)
        self.tune, self._told, self._header = "", 0, ""
        yield from self._play(notes)
        if self._left <= 0 and not self.done:
            yield from self._until(self._seconds, [])
            self.done = True

    def _play(self, notes: list[Note]) -> Iterator[Step]:
        if not notes:
            return
        start = self.time
        end = start + max(note.end for note in notes)
        placed = [n._replace(start=n.start + start, end=n.end + start) for n in notes]
        yield from self._until(min(end + BREATH, self._seconds), placed)
        self.done = self.time >= self._seconds

    def _until(self, end: float, notes: list[Note]) -> Iterator[Step]:
        """Steps up to `end`; each note is told in the step in which it ends, cut at the end."""
        waiting = sorted(
            (n._replace(end=min(n.end, self._seconds)) for n in notes if n.start < end),
            key=lambda n: n.end,
        )
        while self.time < end:
            self.time = min(end, self.time + NEWS)
            now = [n for n in waiting if n.end <= self.time]
            waiting = waiting[len(now) :]
            yield Step(tuple(now), self.time)


def _heard(text: str) -> tuple[list[Note], list[str]]:
    """The notes of a tune on the piano, from second 0, and what was left out."""
    sequence, dropped = repaired_abc(text)
    remarks = [f"left out: {sentence}" for sentence in dropped[:REMARKS]]
    if len(dropped) > REMARKS:
        remarks.append(f"left out: {len(dropped) - REMARKS} more signs like these.")
    notes = [n for n in sequence if LOWEST_KEY <= n.pitch <= HIGHEST_KEY]
    if not is_played(notes):
        return [], [*remarks, "left out: the tune, which turns round on one note."]
    if not notes:
        return [], remarks
    first = notes[0].start
    return [n._replace(start=n.start - first, end=n.end - first) for n in notes], remarks
