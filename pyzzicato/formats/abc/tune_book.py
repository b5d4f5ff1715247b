"""What a network wrote, as a file of ABC that every reader reads: whole tunes, numbered.

A network's text may begin in the middle of a tune, leave out X: or K:, number every tune 1, hold
signs that make no sense, or tunes that were not played.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.abc.notation import read_abc, repaired_abc, write_abc
from pyzzicato.music.notes import Note, longest_repeat

__all__ = ["HEAD", "SAME", "SEED_ENDS", "is_played", "tune_book"]

SAME = 8  # notes or chords in a row that may be the same
HEAD = "X:1\nM:6/8\nL:1/8\nK:D\n"  # for a tune that has none of its own
SEED_ENDS = (
    "% Here the seed ends.\n"  # after its melody, in the text of a tune that goes on with it
)

_REPEAT = re.compile(r"\|:|:\||::")
_REPEAT_ENDS = re.compile(r":\||::")


def tune_book(text: str) -> str:
    """The tunes of `text` that are played, each whole and with a number of its own.

    What was read of a seed stays before what was written after it, and is not repeated with it.
    A tune that cannot be read as it stands is written out as it was heard, in sixteenths; what
    the network wrote stands before it, as comments.
    """
    tunes = [tune for each in _tunes(text) if (tune := _whole(each))]
    return "\n".join(
        re.sub(r"^X:.*", f"X:{number}", tune, count=1, flags=re.MULTILINE)
        for number, tune in enumerate(tunes, start=1)
    )


def _tunes(text: str) -> Iterator[str]:
    """The text of each tune: to an empty line, or to the X: of the next one."""
    tune: list[str] = []
    for line in text.splitlines(keepends=True):
        begins = line.startswith("X:") and any(each.startswith("K:") for each in tune[1:])
        empty = not line.strip()
        if tune and (begins or (empty and tune[-1] != SEED_ENDS)):
            yield "".join(tune).rstrip("\n") + "\n"
            tune = []
        if not empty:
            tune.append(line)
    if tune:
        yield "".join(tune).rstrip("\n") + "\n"


def _whole(tune: str) -> str:
    """A tune with its header, as a strict reader takes it; "" where there is nothing to play."""
    if not re.search(r"^K:", tune, re.MULTILINE):
        tune = HEAD + tune
    if not re.search(r"^X:", tune, re.MULTILINE):
        tune = "X:1\n" + tune
    seed, mark, new = tune.partition(SEED_ENDS)
    if mark and _opened(new):
        tune = f"{seed}{mark}|:{new}"
    heard = repaired_abc(tune)
    if not heard.sequence or not is_played(heard.sequence.notes):
        return ""
    try:
        if read_abc(tune) == heard.sequence and not heard.dropped:
            return tune
    except UnreadableMusic:
        pass
    written = "".join(f"% {line}\n" for line in tune.splitlines() if not line.startswith("%"))
    head, _, rest = write_abc(heard.sequence).partition("\n")
    return f"{head}\n% As it was heard. What was written:\n{written}{rest}"


def _opened(new: str) -> bool:
    """Whether the first sign of a repeat in `new` ends one: then it begins with `new`."""
    found = _REPEAT.search(new)
    return bool(found and _REPEAT_ENDS.fullmatch(found[0]))


def is_played(notes: Sequence[Note]) -> bool:
    """Whether a tune is music: not one that turns round on one note."""
    return longest_repeat(notes) <= SAME
