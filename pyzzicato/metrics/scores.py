"""Scores: what is measured of a model, as rows that are alike for every kind of network.

A family's scorer gives sheets, the most telling first; their list is the section "scores" of
metrics.json. All words that a card needs stand in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Literal

__all__ = ["MODEL", "REAL", "Measure", "Score", "Sheet", "rows"]

MODEL, REAL = "this model", "real music"


@dataclass(frozen=True)
class Measure:
    """A kind of figure: its name with its unit, how it is written, and what is best."""

    name: str
    form: str = ".2f"
    """A format specification of Python."""
    better: Literal["", "lower", "higher", "real"] = ""
    """"real" is the nearest to the row of real music; "" where none is better."""


@dataclass(frozen=True)
class Score:
    """One figure: a measure of one predictor, on one part of one split; None is not defined."""

    measure: str
    value: float | None
    by: str = MODEL
    group: str = ""
    """What it is of: a kind of music, an instrument, a setting."""
    split: str = "test"
    error: float | None = None
    """The standard error."""
    low: float | None = None
    high: float | None = None
    """The ends of the 95 % interval."""


@dataclass(frozen=True)
class Sheet:
    """What was measured together, in words and rows; `scores[0]` says most.

    Two models' sheets of one heading and note are of the same music, measured alike. So the note
    names how much music it was.
    """

    heading: str
    note: str
    measures: tuple[Measure, ...]
    scores: tuple[Score, ...]
    group: str = "of"
    """What `Score.group` is, as the heading of a column."""
    across: tuple[str, ...] = ("measure",)
    """Which fields of its scores make the columns of its table; the others make the rows."""
    rival: str = ""
    """The predictor to beat, if any."""

    def plain(self) -> dict[str, Any]:
        """The sheet for metrics.json; what is as usual is left out."""
        parts = {"measures": self.measures, "scores": self.scores}
        return _plain(self) | {name: [_plain(each) for each in parts[name]] for name in parts}

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Sheet:
        """A sheet from metrics.json."""
        measures = tuple(Measure(**row) for row in found["measures"])
        scores = tuple(Score(**row) for row in found["scores"])
        across = tuple(found.get("across", cls.across))
        return cls(**{**found, "across": across, "measures": measures, "scores": scores})


def _plain(record: Any) -> dict[str, Any]:
    """A dataclass without the fields that have their default."""
    usual = {each.name: each.default for each in fields(record) if each.default is not MISSING}
    return {k: v for k, v in asdict(record).items() if k not in usual or v != usual[k]}


def rows(figures: Mapping[str, float | None], **of: str) -> Iterator[Score]:
    """A score for each figure by the name of its measure; `of` is `by`, `group` and `split`."""
    for measure, value in figures.items():
        yield Score(measure, value, **of)  # type: ignore[arg-type]
