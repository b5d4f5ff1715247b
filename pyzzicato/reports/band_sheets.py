"""What metrics.json says of a family that plays in a band, as tables; see `band_scores`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from pyzzicato.errors import listed
from pyzzicato.reports.card_figures import Row, Sheet
from pyzzicato.reports.score_tables import Scored, Table, best

__all__ = ["band_table", "best_figure", "sheets"]

_MEASURES = {
    "density": ("struck notes a bar", "{:.1f}", 1.0),
    "empty_bars": ("empty bars", "{:.0f}%", 100.0),
    "pitch_classes": ("pitch classes a bar", "{:.1f}", 1.0),
    "drum_pattern": ("strokes on the eighths", "{:.0f}%", 100.0),
    "tonal_distance": ("tonal distance", "{:.2f}", 1.0),
    "change": ("notes not as in the opening", "{:.0f}%", 100.0),
}
_SIDES = ("real", "new", "repeat")


def sheets(found: Mapping[str, Any]) -> tuple[Sheet, ...]:
    """The tables of the entry "band" of metrics.json."""
    told = [_told(found["told"])] if found.get("told") else []
    style = [_style(found["styles"])] if found.get("styles") else []
    return (*told, _measures(found), _forms(found), *style)


def best_figure(found: Mapping[str, Any]) -> str:
    """The figure that says most, in a few words."""
    return (
        f"{_met(found['alike']['new'])} measures like real music, "
        f"{_over_real(found, 'new', 'starts', 'notes'):.2f} times as varied"
    )


class _Line(NamedTuple):
    """One row of the table of all bands: what it is, a model's cell, how far it is from real."""

    label: str
    name: str
    cell: Callable[[Scored], str]
    far: Callable[[Scored], float | None]


def band_table(models: Sequence[Scored]) -> Table:
    """All bands side by side: each figure, and in brackets the 95 % interval of real music.

    The best of a row is nearest to real music. Whatever music they were taught, all are measured
    after the same openings in even meters, so all are compared.
    """
    bands = [replace(model, kind=("band",)) for model in models if model.band]
    lines = [*_varieties(), *_lines(bands)]
    winners = [best(bands, line.far) for line in lines]
    alike = ("measures like real music", "", *(_met(m.band["alike"]["new"]) for m in bands))
    rows = (alike, *((line.label, line.name, *map(line.cell, bands)) for line in lines))
    marked = frozenset(
        (row + 1, column + 2)
        for row, ids in enumerate(winners)
        for column, model in enumerate(bands)
        if model.id in ids
    )
    return Table(("measure", "of", *(model.title for model in bands)), rows, marked)


def _varieties() -> Iterator[_Line]:
    label = "variety over that of real music"
    for where, told in (("starts", "100 openings"), ("one", "one opening")):
        for by in ("notes", "feel"):
            cell = partial(_variety, where=where, by=by)
            yield _Line(label, f"from {told}, by {by}", cell, partial(_uneven, where=where, by=by))
            label = ""


def _variety(model: Scored, where: str, by: str) -> str:
    return f"{_over_real(model.band, 'new', where, by):.2f}"


def _uneven(model: Scored, where: str, by: str) -> float:
    return abs(_over_real(model.band, "new", where, by) - 1)


def _lines(bands: Sequence[Scored]) -> Iterator[_Line]:
    for measure, (label, form, factor) in _MEASURES.items():
        names = dict.fromkeys(n for m in bands for n in m.band["measures"]["real"][measure])
        for number, name in enumerate(names):
            cell = partial(_beside, measure=measure, name=name, form=form, factor=factor)
            far = partial(_far, measure=measure, name=name, factor=factor)
            yield _Line("" if number else label, name.replace("+", " and "), cell, far)


def _sides(model: Scored, measure: str, name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What it writes and its real music, in one measure of one instrument or pair."""
    tables = model.band["measures"]
    return tables["new"][measure].get(name, {}), tables["real"][measure].get(name, {})


def _beside(model: Scored, measure: str, name: str, form: str, factor: float) -> str:
    new, real = _sides(model, measure, name)
    if new.get("value") is None:
        return "none"
    low, high = (
        "none" if real.get(end) is None else form.format(factor * real[end])
        for end in ("low", "high")
    )
    return f"{form.format(factor * new['value'])} ({low} to {high})"


def _far(model: Scored, measure: str, name: str, factor: float) -> float | None:
    new, real = (side.get("value") for side in _sides(model, measure, name))
    return None if new is None or real is None else float(abs(new - real) * factor)


def _told(splits: Mapping[str, Any]) -> Sheet:
    test, val = splits["test"], splits["val"]
    note = (
        "How well it tells real music that it was not trained on: less is better. In brackets the "
        "same on the validation split." + (f" {test['note']}" if test.get("note") else "")
    )
    rows = tuple(
        (name, f"{figure:.2f} ({val['rows'][name]:.2f})") for name, figure in test["rows"].items()
    )
    return Sheet("How well it tells real music", note, (("told by", test["what"]), *rows))


def _measures(found: Mapping[str, Any]) -> Sheet:
    note = (
        f"What it writes after {found['windows']} openings of two bars from {found['works']} works "
        "that it was not trained on, beside the two bars that really follow, and beside the "
        "opening again, which takes no model at all; 95 % intervals. Tonal distance is between "
        "two instruments that sound in one beat, 0 for the same pitch classes. Strokes on the "
        "sixteenths between the eighths count a tenth."
    )
    head = ("measure", "of", "real music", "this model", "the opening again")
    tables = found["measures"]
    rows = tuple(
        (
            label if number == 0 else "",
            name.replace("+", " and "),
            *(_figure(tables[side][measure][name], form, factor) for side in _SIDES),
        )
        for measure, (label, form, factor) in _MEASURES.items()
        for number, name in enumerate(tables["real"][measure])
    )
    return Sheet("What its music is like", note, (head, *rows))


def _figure(row: Mapping[str, Any], form: str, factor: float) -> str:
    if row["value"] is None:
        return "none"
    value, low, high = (form.format(factor * row[name]) for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _forms(found: Mapping[str, Any]) -> Sheet:
    """Likeness and variety of the model and of its other forms."""
    note = (
        "Measures: how many of those above have an interval that meets the one of real music. "
        "Variety is the mean distance between two windows, of 100 that follow 100 openings and of "
        "100 takes that follow one (three openings in the mean), over the same figure of real "
        "music. By notes: the share of struck notes that only one of both has; by feel: chroma "
        "and rhythm, which also tells that music is of one kind."
    )
    head = (
        "form", "measures like real music", "variety from 100 openings, by notes", "by feel",
        "variety from one opening, by notes", "by feel",
    )  # fmt: skip
    names = [name for name in found["variety"] if name != "real"]
    rows = tuple(
        (
            "this model" if name == "new" else name,
            _met(found["alike"][name]),
            *(
                f"{_over_real(found, name, where, by):.2f}"
                for where in ("starts", "one")
                for by in ("notes", "feel")
            ),
        )
        for name in names
    )
    again = ("the opening again", _met(found["alike"]["repeat"]), "", "", "0.00", "0.00")
    return Sheet("How varied it is", note, (head, *rows, again))


def _met(alike: Mapping[str, int]) -> str:
    return f"{alike['met']} of {alike['of']}"


def _over_real(found: Mapping[str, Any], form: str, where: str, by: str) -> float:
    real = found["variety"]["real"][by]
    return float(found["variety"][form][where][by] / real) if real else 0.0


def _style(styles: Mapping[str, Any]) -> Sheet:
    note = (
        "How often the result is nearer, in chroma and rhythm, to real music of the chosen style "
        f"than to that of the {len(styles['names']) - 1} others, by how much of the style is mixed "
        f"in (alpha); {styles['results']} results each, by lot {styles['chance']:.0%}. In any key: "
        f"where the chroma may be transposed. The styles: {listed(styles['names'])}."
    )
    return Sheet("What the style does", note, (("alpha", "nearest", "in any key"), *_curve(styles)))


def _curve(styles: Mapping[str, Any]) -> Iterator[Row]:
    for row in styles["curve"]:
        yield f"{row['alpha']:g}", f"{row['nearest']:.0%}", f"{row['nearest_in_any_key']:.0%}"
