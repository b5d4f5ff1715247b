"""The text of ABC files: where lines end, what in it is no music, and where its tunes begin."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Line", "is_prose", "lines_of", "music_lines", "tunes_of"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_BEGIN = re.compile(r"(?:%%|I:)\s*begin([a-z]+)", re.IGNORECASE)
_END = re.compile(r"(?:%%|I:)\s*end([a-z]+)", re.IGNORECASE)
_NOT_WORDS = re.compile(r'"[^"]*"|![^!]*!|\[[A-Za-z]:[^\]]*\]|\{[^}]*\}')
_WORD = re.compile(r"""[(“"']*([A-Za-z]+(?:['’-][A-Za-z]+)*)[.,:;!?)”"'…]*""")
_NUMBER = re.compile(r"\(?\d+[.,:;)]*")
_SIGN_LETTERS = frozenset("ABCDEFGabcdefgXYZxyzHLMOPSTuv")


class Line(NamedTuple):
    """A line of a text: its number, from 1, and what stands in it."""

    number: int
    text: str


def lines_of(text: str) -> list[str]:
    """The lines of `text`, which end at LF, CR or CRLF and nowhere else."""
    return _LINE_END.split(text)


def music_lines(text: str) -> list[Line]:
    """The lines of `text`; those of text blocks (%%begintext to %%endtext and the like) are "%".

    A block that is not closed ends at the next X: line.
    """
    lines = lines_of(text.removeprefix("\ufeff"))
    last_end: dict[str, int] = {}
    for place, line in enumerate(lines):
        if found := _END.match(line):
            last_end[found[1].casefold()] = place
    kept: list[Line] = []
    block: str | None = None
    for place, line in enumerate(lines):
        if block is not None and line.startswith("X:") and last_end.get(block, -1) < place:
            block = None
        if block is None and (begun := _BEGIN.match(line)):
            block = begun[1].casefold()
        kept.append(Line(place + 1, line if block is None else "%"))
        if block is not None and (ended := _END.match(line)) and ended[1].casefold() == block:
            block = None
    return kept


def tunes_of(text: str) -> Iterator[list[Line]]:
    """The tunes of a file: each from its X: line to the next, after the header of the file.

    A text without X: line, and one with a K: line before the first X:, begins with a tune.
    """
    lines = music_lines(text)
    starts = [place for place, line in enumerate(lines) if line.text.startswith("X:")]
    first = starts[0] if starts else len(lines)
    header = lines[:first]
    if not starts or any(line.text.startswith("K:") for line in header):
        yield header
        header = []
    for start, end in pairwise([*starts, len(lines)]):
        yield header + lines[start:end]


def is_prose(line: str, symbols: Collection[str] = ()) -> bool:
    """Whether a line is plainly words and no music.

    It is where it has no bar line, at least half of it are words, and letters in them mean
    nothing in music: one, or two where the line is a single word. `symbols` are letters to which
    the tune gave a meaning.
    """
    if "|" in line:
        return False
    parts = _NOT_WORDS.sub(" ", line).split()
    words = [found[1] for part in parts if (found := _WORD.fullmatch(part))]
    letters = [letter for word in words for letter in word if letter.isalpha()]
    strange = sum(letter not in _SIGN_LETTERS and letter not in symbols for letter in letters)
    numbers = sum(bool(_NUMBER.fullmatch(part)) for part in parts)
    enough = strange >= (1 if len(words) > 1 else 2)
    return enough and 2 * (len(words) + numbers) >= len(parts)
