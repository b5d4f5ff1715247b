"""Sheets of scores as tables: of one model, of several side by side, beside published figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pyzzicato.metrics.scores import MODEL, REAL, Measure, Score, Sheet
from pyzzicato.registry import ModelInfo
from pyzzicato.reports.tables import Row, Table

__all__ = [
    "Section",
    "best_figure",
    "comparisons",
    "published",
    "sheet_table",
    "sheets_of",
]

_SPLITS = {"train": "trained on", "val": "validation", "test": "test"}
_KEYS = ("measure", "group", "split", "by")
Key = tuple[str, ...]


class Section(NamedTuple):
    """One thing that was measured, as it is shown; `note` explains it."""

    heading: str
    note: str
    table: Table
    wrapped: bool = False
    """Whether the cells of the table hold sentences."""


def sheets_of(metrics: Mapping[str, Any]) -> tuple[Sheet, ...]:
    """The section "scores" of metrics.json."""
    return tuple(Sheet.read(found) for found in metrics.get("scores", ()))


def best_figure(sheets: Sequence[Sheet]) -> str:
    """The figure that says most and the one to beat, in a few words."""
    if not sheets:
        return "not measured yet"
    form = sheets[0].measures[0].form
    mine, *others = sheets[0].scores
    said = f"{mine.value:{form}} {mine.measure}" + (f" of {mine.group}" if mine.group else "")
    rival = replace(mine, by=sheets[0].rival)
    told = [f" ({s.by}: {s.value:{form}})" for s in others if _place(s) == _place(rival)]
    return said + "".join(told)


def _place(score: Score) -> Key:
    return tuple(getattr(score, key) for key in _KEYS)


def sheet_table(sheet: Sheet) -> Table:
    """The rows of a sheet as a table with its measures, or its predictors, side by side."""
    keys = [key for key in _KEYS if key not in sheet.across and _tells(sheet, key)]
    across: Sequence[str] = sheet.across
    if not keys:
        across, keys = ("by",), ["measure"]
    forms = _forms(sheet)
    cells: dict[Key, dict[Key, str]] = defaultdict(dict)
    for score in sheet.scores:
        text = _text(score, forms[score.measure])
        cells[_words(score, keys)][_words(score, across)] = text
    found = list(dict.fromkeys(column for row in cells.values() for column in row))
    first = list(dict.fromkeys(column[0] for column in found))
    columns = sorted(found, key=lambda column: first.index(column[0]))
    heads = {"measure": "measure", "group": sheet.group, "split": "music", "by": "told by"}
    named = (", ".join(filter(None, column)) for column in columns)
    rows = ((*row, *(texts.get(column, "") for column in columns)) for row, texts in cells.items())
    return Table((*(heads[key] for key in keys), *named), tuple(rows))


def _tells(sheet: Sheet, key: str) -> bool:
    """Whether a key of the rows has something to say."""
    values = {getattr(score, key) for score in sheet.scores}
    return len(values) > 1 or (key == "group" and values != {""})


def _words(score: Score, keys: Sequence[str]) -> Key:
    found = ((key, str(getattr(score, key))) for key in keys)
    return tuple(_SPLITS.get(word, word) if key == "split" else word for key, word in found)


def _text(score: Score | None, form: str) -> str:
    if score is None:
        return ""
    if score.value is None:
        return "none"
    said = f"{score.value:{form}}"
    if score.error is not None:
        said += f" ± {score.error:{form}}"
    if score.low is not None and score.high is not None:
        said += f" ({score.low:{form}} to {score.high:{form}})"
    return said


def comparisons(models: Mapping[str, Sequence[Sheet]]) -> Iterator[Section]:
    """What two models or more were measured in alike, sheet by sheet, by the models' titles.

    Beside them stand the predictors whose figures are the same for all of them. The best of a row
    is marked.
    """
    shared: dict[Key, dict[str, Sheet]] = defaultdict(dict)
    for title, sheets in models.items():
        for sheet in sheets:
            shared[sheet.heading, sheet.note][title] = sheet
    for (heading, note), found in shared.items():
        table = _side_by_side(found)
        if table.rows:
            yield Section(heading, note, table)


def _side_by_side(found: Mapping[str, Sheet]) -> Table:
    """One figure a row, on the test split; only those that two models have."""
    sheets = {title: {_place(score): score for score in s.scores} for title, s in found.items()}
    measures = {measure.name: measure for s in found.values() for measure in s.measures}
    counts = Counter(
        (measure, group)
        for scores in sheets.values()
        for measure, group, split, by in scores
        if (split, by) == ("test", MODEL)
    )
    shared = [key for key, count in counts.items() if count > 1]
    sheets = {t: s for t, s in sheets.items() if any((*k, "test", MODEL) in s for k in shared)}
    others = _common(list(sheets.values()), shared)
    rows: list[Row] = []
    marked: set[tuple[int, int]] = set()
    for key in shared:
        measure = measures[key[0]]
        mine = {title: scores.get((*key, "test", MODEL)) for title, scores in sheets.items()}
        beside = {by: scores.get(key) for by, scores in others.items()}
        best = _best(mine, measure, beside.get(REAL))
        marked |= {(len(rows), 1 + n) for n, title in enumerate(mine) if title in best}
        cells = (_text(score, measure.form) for score in (*mine.values(), *beside.values()))
        rows.append((", ".join(filter(None, key)), *cells))
    return Table(("measure", *sheets, *others), tuple(rows), frozenset(marked))


def _common(
    sheets: Sequence[Mapping[Key, Score]], shared: Sequence[Key]
) -> dict[str, dict[Key, Score]]:
    """The rows of the other predictors that are the same for all models."""
    found: dict[str, dict[Key, Score]] = {}
    for by in dict.fromkeys(s.by for scores in sheets[:1] for s in scores.values()):
        first, *rest = ([scores.get((*key, "test", by)) for key in shared] for scores in sheets)
        if by != MODEL and any(first) and all(each == first for each in rest):
            found[by] = {key: s for key, s in zip(shared, first, strict=True) if s is not None}
    return found


def _best(mine: Mapping[str, Score | None], measure: Measure, real: Score | None) -> frozenset[str]:
    """The titles of the models with the best figure, as it is written; none where all have it."""
    values = {t: s.value for t, s in mine.items() if s is not None and s.value is not None}
    if measure.better == "real":
        if real is None or real.value is None:
            return frozenset()
        values = {title: abs(value - real.value) for title, value in values.items()}
    if not measure.better or not values:
        return frozenset()
    wanted = (max if measure.better == "higher" else min)(values.values())
    found = {t for t, v in values.items() if f"{v:{measure.form}}" == f"{wanted:{measure.form}}"}
    return frozenset(found) if len(found) < len(values) else frozenset()


def published(info: ModelInfo, sheets: Sequence[Sheet]) -> Table:
    """The figures that others published, of `[[card.published]]` in model.toml, beside ours."""
    found = [(sheet, score) for sheet in sheets for score in sheet.scores if score.by == MODEL]
    rows = []
    for told in info.card.get("published", ()):
        ours = [
            f"{score.value:{_forms(sheet)[score.measure]}} ({_SPLITS[score.split]})"
            for sheet, score in found
            if (score.measure, score.group) == (told["measure"], told["group"])
        ]
        if ours:
            rows.append((told["what"], told["figure"], ", ".join(ours), told["near"]))
    return Table(("what", "published", "ours", "how near"), tuple(rows))


def _forms(sheet: Sheet) -> dict[str, str]:
    return {measure.name: measure.form for measure in sheet.measures}
