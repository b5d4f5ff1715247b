"""What metrics.json says of a model, in sections for its card.

Every figure is one that a command measured; here it only gets its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyzzicato.errors import UnknownName
from pyzzicato.music.composers import find_composer
from pyzzicato.registry import ModelInfo
from pyzzicato.reports.sheets import Section, published, sheet_table, sheets_of
from pyzzicato.reports.tables import Table

__all__ = ["sections", "short_name"]

_PERCENTILES = ("p10", "p50", "p90")


def sections(info: ModelInfo) -> tuple[Section, ...]:
    """Everything that was measured, the most telling first."""
    sheets, long = sheets_of(info.metrics), info.metrics.get("minutes_long")
    found = [Section(sheet.heading, sheet.note, sheet_table(sheet)) for sheet in sheets]
    if long:
        found.append(_minutes_long(long))
    if long and long.get("copying"):
        found.append(_copying(long["copying"]))
    beside = published(info, sheets)
    if beside.rows:
        found.append(Section("Beside what others published", "", beside, wrapped=True))
    return tuple(found)


def short_name(composer: str) -> str:
    """The short name of a composer's id; the id itself where it is not known."""
    try:
        return find_composer(composer).short
    except UnknownName:
        return composer


def _minutes_long(found: Mapping[str, Any]) -> Section:
    composers = found["composers"]
    note = (
        f"Measured on {found['pieces']} new pieces of {found['seconds']:g} s, in brackets on the "
        "composer's real music where it was at hand. Notes a second: 10th percentile, median and "
        f"90th of half a minute each; {found['composers_within']} of {len(composers)} composers "
        "have all of them within 0.75 to 1.33 times the real ones. Mean pitch: the same of the "
        "keys struck in half a minute, 60 is middle C. Drift: how many times as many "
        f"notes the last third has as the first, or the first as the last{_drifting(found)}. "
        "Unevenness: how far notes a second in parts of 3 s are from each other within half a "
        "minute, the standard deviation of their logarithms. "
        "Repeated: windows of 4 s that came before, note for note. "
        f"{found['silent_pieces']} of {found['pieces']} pieces are silent for more than 6 s."
    )
    head = ("composer", "notes a second", "mean pitch", "drift", "unevenness",
            "longest silence", "repeated", "loudness")  # fmt: skip
    table = tuple((short_name(name), *_steady(row)) for name, row in composers.items())
    return Section("How steady it stays", note, Table(head, table))


def _drifting(found: Mapping[str, Any]) -> str:
    """Of how many composers the drift is more than real beyond chance, where that was asked."""
    rows = [row for row in found["composers"].values() if "drift_more" in row]
    if not rows:
        return ""
    count = found["composers_drifting"]
    return f"; beyond chance it is larger than in real pieces for {count} of {len(rows)} composers"


def _copying(found: Mapping[str, Any]) -> Section:
    """What the same pieces share with the training music, beside real ones it does not hold."""
    note = (
        "Of those pieces, beside real pieces of the same composers that it was not trained on. "
        "Longest passage: what the Compose page says of a take; the median, the 90th percentile "
        "and the most. Copied: more than 99 of 100 real pieces share."
    )
    head = ("", "pieces", "longest passage", "copied", "repeated windows of 4 s")
    sides = (("new", "new"), ("real, not trained on", "real"))
    table = tuple(
        (
            label,
            str(found[side]["pieces"]),
            "{median:.0f} / {p90:.0f} / {longest} notes".format(**found[side]["passage"]),
            f"{found[side]['copied']:.0%}",
            f"{found[side]['repeated']:.2%}",
        )
        for label, side in sides
        if found[side]["pieces"]
    )
    return Section("Whether it copies", note, Table(head, table))


def _steady(row: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """The cells of one composer: new (real)."""

    def both(name: str, form: str) -> str:
        new, real = (
            form.format(row[who][name]) if name in row[who] else "" for who in ("new", "real")
        )
        return (new or "none") + (f" ({real})" if real else "")

    for form, names in (("{:.1f}", _PERCENTILES), ("{:.0f}", [f"pitch_{p}" for p in _PERCENTILES])):
        new, real = (
            " / ".join(form.format(row[who][name]) for name in names if name in row[who])
            for who in ("new", "real")
        )
        yield (new or "none") + (f" ({real})" if real else "")
    yield both("drift_size", "{:.2f}")
    yield both("uneven", "{:.2f}")
    yield both("longest_silence", "{:.1f} s")
    yield both("repeated", "{:.1%}")
    yield both("velocity", "{:.0f}")
