"""In which order the bars of a voice are played: repeats, endings and parts."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from fractions import Fraction
from itertools import groupby

from pyzzicato.formats.abc.bars import Bar

__all__ = ["in_parts", "share_parts"]


def share_parts(voices: list[list[Bar]]) -> None:
    """Give voices without P: fields of their own the parts of the first voice that has some."""
    marked = next((bars for bars in voices if any(bar.part for bar in bars)), None)
    if marked is None:
        return
    starts = _starts(marked)
    for bars in voices:
        if any(bar.part for bar in bars):
            continue
        for bar, start in zip(bars, _starts(bars), strict=True):
            bar.part = marked[max(0, bisect_right(starts, start) - 1)].part


def _starts(bars: list[Bar]) -> list[Fraction]:
    """When each bar begins as it is written, in whole notes."""
    starts, start = [], Fraction(0)
    for bar in bars:
        starts.append(start)
        start += bar.length
    return starts


def in_parts(bars: list[Bar], order: str) -> list[Bar]:
    """The bars as they are played: part after part where the header gives an order.

    A part that is asked for several times in a row, and has numbered endings, is played so often
    and each time with the ending of that number (standard 2.1, section 4.10); one without them
    is played with its repeats each time.
    """
    named: dict[str, list[Bar]] = {}
    for bar in bars:
        named.setdefault(bar.part, []).append(bar)
    if not order or not any(named):
        return _playing_order(bars)
    played = _playing_order(named.get("", []))
    before: Counter[str] = Counter()
    for name, asked in groupby(order):
        times = len(list(asked))
        played += _part(named.get(name, []), times, before[name])
        before[name] += times
    return played


def _part(part: list[Bar], times: int, before: int) -> list[Bar]:
    """A part `times` in a row, after it was played `before` times."""
    endings = max((number for bar in part for number in bar.endings), default=0)
    repeats = any(bar.times > 1 for bar in part)
    if not endings or (repeats and times == 1):
        return _playing_order(part) * times
    first = 0 if repeats else before
    passes = (_pass(part, (first + time) % endings + 1) for time in range(times))
    return [bar for bars in passes for bar in bars]


def _pass(part: list[Bar], number: int) -> list[Bar]:
    """A part once, with the ending `number` of those it has."""
    played: list[Bar] = []
    in_ending = skipping = False
    for bar in part:
        if bar.endings:
            in_ending, skipping = True, number not in bar.endings
        if not skipping:
            played.append(bar)
            if in_ending and bar.times > 1:
                break
        if bar.times > 1:
            skipping = False
    return played


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
