"""The text of ABC files: where lines end, what in it is no music, and where its tunes begin."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import dropwhile, pairwise
from typing import NamedTuple

__all__ = ["Line", "TuneText", "is_prose", "lines_of", "music_lines", "tunes_of"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_BEGIN = re.compile(r"(?:%%|I:)\s*begin([a-z]+)", re.IGNORECASE)
_END = re.compile(r"(?:%%|I:)\s*end([a-z]+)", re.IGNORECASE)
_NOT_WORDS = re.compile(r'"[^"]*"|![^!]*!|\[[A-Za-z]:[^\]]*\]|\{[^}]*\}')
_WORD = re.compile(r"""[(“"']*([A-Za-z]+(?:['’-][A-Za-z]+)*)[.,:;!?)”"'…]*""")
_NUMBER = re.compile(r"\(?\d+[.,:;)]*")
_HEADER = re.compile(r"[A-Za-z]:|%%")
_SOUNDING = re.compile(r"(?![A-Za-z+]:(?![|:])|%).*[A-Ga-g]|\s*\[")
_MAX_HEADER = 100  # lines
_MAX_TITLE = 80  # characters
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
    ends = ((place, _END.match(line)) for place, line in enumerate(lines))
    last_end = {found[1].casefold(): place for place, found in ends if found}
    kept: list[Line] = []
    block: str | None = None
    for place, line in enumerate(lines):
        if block is None and not line.startswith(("%%", "I:")):
            kept.append(Line(place + 1, line))
            continue
        if block is not None and line.startswith("X:") and last_end.get(block, -1) < place:
            block = None
        if block is None and (begun := _BEGIN.match(line)):
            block = begun[1].casefold()
        kept.append(Line(place + 1, line if block is None else "%"))
        if block is not None and (ended := _END.match(line)) and ended[1].casefold() == block:
            block = None
    return kept


class TuneText(NamedTuple):
    """The lines of one tune of a file, and those of the file's header, which all tunes share."""

    header: list[Line]
    body: list[Line]

    @property
    def lines(self) -> list[Line]:
        """All lines to read for the tune."""
        return self.header + self.body

    @property
    def title(self) -> str:
        """The title of the tune in quotes, or else its number."""
        for line in self.body:
            if line.text.startswith("T:") and (title := line.text[2:].strip()):
                return f"“{title[:_MAX_TITLE]}”"
        numbers = (line.text[2:].strip() for line in self.body if line.text.startswith("X:"))
        return f"X:{next(numbers, '')[:_MAX_TITLE]}"

    @property
    def may_sound(self) -> bool:
        """Whether a line after the key may hold notes; without a look at what it says."""
        after_key = dropwhile(lambda line: not line.text.startswith("K:"), self.body)
        return any(_SOUNDING.match(line.text) for line in after_key)


def tunes_of(text: str) -> list[TuneText]:
    """The tunes of a file: each from its X: line to the next.

    A text without X: line, and one with a K: line before the first X:, begins with a tune. Of
    the header of a file the first 100 fields and instructions are kept.
    """
    lines = music_lines(text)
    starts = [place for place, line in enumerate(lines) if line.text.startswith("X:")]
    before = lines[: starts[0]] if starts else lines
    tunes: list[TuneText] = []
    header: list[Line] = []
    if not starts or any(line.text.startswith("K:") for line in before):
        tunes.append(TuneText([], before))
    else:
        header = [line for line in before if _HEADER.match(line.text)][:_MAX_HEADER]
    for start, end in pairwise([*starts, len(lines)]):
        tunes.append(TuneText(header, lines[start:end]))
    return tunes


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
